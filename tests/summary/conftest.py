"""Makes the room's own modules (the maker of labelled interactions, the slow metrics) importable by their
names.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
