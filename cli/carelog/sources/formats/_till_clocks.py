"""Dates and times as tills export them: in the order of some country, with a zone that is called by a
name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from carelog.sources.blocks import Fault
from carelog.sources.clocks import with_offset

# Names of zones in Ruby on Rails, which Square writes, and their IANA names.
_RAILS = """
International Date Line West=Etc/GMT+12|Midway Island=Pacific/Midway|American Samoa=Pacific/Pago_Pago
Hawaii=Pacific/Honolulu|Alaska=America/Juneau|Pacific Time (US & Canada)=America/Los_Angeles
Tijuana=America/Tijuana
Mountain Time (US & Canada)=America/Denver|Arizona=America/Phoenix|Chihuahua=America/Chihuahua
Mazatlan=America/Mazatlan|Central Time (US & Canada)=America/Chicago|Saskatchewan=America/Regina
Guadalajara=America/Mexico_City|Mexico City=America/Mexico_City|Monterrey=America/Monterrey
Central America=America/Guatemala|Eastern Time (US & Canada)=America/New_York
Indiana (East)=America/Indiana/Indianapolis|Bogota=America/Bogota|Lima=America/Lima|Quito=America/Lima
Atlantic Time (Canada)=America/Halifax|Caracas=America/Caracas|La Paz=America/La_Paz|Santiago=America/Santiago
Asuncion=America/Asuncion|Newfoundland=America/St_Johns|Brasilia=America/Sao_Paulo
Buenos Aires=America/Argentina/Buenos_Aires|Montevideo=America/Montevideo|Georgetown=America/Guyana
Puerto Rico=America/Puerto_Rico|Greenland=America/Nuuk|Mid-Atlantic=Atlantic/South_Georgia
Azores=Atlantic/Azores
Cape Verde Is.=Atlantic/Cape_Verde|Dublin=Europe/Dublin|Edinburgh=Europe/London|Lisbon=Europe/Lisbon
London=Europe/London|Casablanca=Africa/Casablanca|Monrovia=Africa/Monrovia|UTC=Etc/UTC
Belgrade=Europe/Belgrade|Bratislava=Europe/Bratislava|Budapest=Europe/Budapest|Ljubljana=Europe/Ljubljana|Prague=Europe/Prague
Sarajevo=Europe/Sarajevo|Skopje=Europe/Skopje|Warsaw=Europe/Warsaw|Zagreb=Europe/Zagreb
Brussels=Europe/Brussels
Copenhagen=Europe/Copenhagen|Madrid=Europe/Madrid|Paris=Europe/Paris|Amsterdam=Europe/Amsterdam
Berlin=Europe/Berlin|Bern=Europe/Zurich|Zurich=Europe/Zurich|Rome=Europe/Rome|Stockholm=Europe/Stockholm
Vienna=Europe/Vienna|West Central Africa=Africa/Algiers|Bucharest=Europe/Bucharest|Cairo=Africa/Cairo
Helsinki=Europe/Helsinki|Kyiv=Europe/Kiev|Riga=Europe/Riga|Sofia=Europe/Sofia|Tallinn=Europe/Tallinn
Vilnius=Europe/Vilnius|Athens=Europe/Athens|Istanbul=Europe/Istanbul|Minsk=Europe/Minsk
Jerusalem=Asia/Jerusalem
Harare=Africa/Harare|Pretoria=Africa/Johannesburg|Kaliningrad=Europe/Kaliningrad|Moscow=Europe/Moscow
St. Petersburg=Europe/Moscow|Volgograd=Europe/Volgograd|Samara=Europe/Samara|Kuwait=Asia/Kuwait
Riyadh=Asia/Riyadh|Nairobi=Africa/Nairobi|Baghdad=Asia/Baghdad|Tehran=Asia/Tehran|Abu Dhabi=Asia/Muscat
Muscat=Asia/Muscat|Baku=Asia/Baku|Tbilisi=Asia/Tbilisi|Yerevan=Asia/Yerevan|Kabul=Asia/Kabul
Ekaterinburg=Asia/Yekaterinburg|Islamabad=Asia/Karachi|Karachi=Asia/Karachi|Tashkent=Asia/Tashkent
Chennai=Asia/Kolkata|Kolkata=Asia/Kolkata|Mumbai=Asia/Kolkata|New Delhi=Asia/Kolkata|Kathmandu=Asia/Kathmandu
Dhaka=Asia/Dhaka|Sri Jayawardenepura=Asia/Colombo|Almaty=Asia/Almaty|Astana=Asia/Almaty
Novosibirsk=Asia/Novosibirsk|Rangoon=Asia/Rangoon|Bangkok=Asia/Bangkok|Hanoi=Asia/Bangkok|Jakarta=Asia/Jakarta
Krasnoyarsk=Asia/Krasnoyarsk|Beijing=Asia/Shanghai|Chongqing=Asia/Chongqing|Hong Kong=Asia/Hong_Kong
Urumqi=Asia/Urumqi|Kuala Lumpur=Asia/Kuala_Lumpur|Singapore=Asia/Singapore|Taipei=Asia/Taipei
Perth=Australia/Perth|Irkutsk=Asia/Irkutsk|Ulaanbaatar=Asia/Ulaanbaatar|Seoul=Asia/Seoul|Osaka=Asia/Tokyo
Sapporo=Asia/Tokyo|Tokyo=Asia/Tokyo|Yakutsk=Asia/Yakutsk|Darwin=Australia/Darwin|Adelaide=Australia/Adelaide
Canberra=Australia/Canberra|Melbourne=Australia/Melbourne|Sydney=Australia/Sydney|Brisbane=Australia/Brisbane
Hobart=Australia/Hobart|Vladivostok=Asia/Vladivostok|Guam=Pacific/Guam|Port Moresby=Pacific/Port_Moresby
Magadan=Asia/Magadan|Srednekolymsk=Asia/Srednekolymsk|Solomon Is.=Pacific/Guadalcanal
New Caledonia=Pacific/Noumea|Fiji=Pacific/Fiji|Kamchatka=Asia/Kamchatka|Marshall Is.=Pacific/Majuro
Auckland=Pacific/Auckland|Wellington=Pacific/Auckland|Nuku'alofa=Pacific/Tongatapu
Tokelau Is.=Pacific/Fakaofo|Chatham Is.=Pacific/Chatham|Samoa=Pacific/Apia
"""
ZONES = {
    name.casefold(): zone
    for name, zone in (pair.split("=") for line in _RAILS.split("\n") if line for pair in line.split("|"))
}
# Letters that stand for one offset wherever tills that write them stand.
_LETTERS = {
    "UTC": 0, "GMT": 0, "EST": -300, "EDT": -240, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480,
    "PDT": -420,
    "AKST": -540, "AKDT": -480, "HST": -600, "BST": 60, "CET": 60, "CEST": 120, "JST": 540, "AEST": 600,
    "AEDT": 660, "AWST": 480, "ACST": 570, "ACDT": 630, "NZST": 720, "NZDT": 780, "KST": 540, "WIB": 420,
    "ICT": 420, "SGT": 480, "HKT": 480,
}  # fmt: skip
_STAMP = re.compile(
    r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})(?:,?\s+(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:\.\d+)?)?"
    r"\s*([AaPp])?\.?\s?(?:[Mm]\.?)?)?"
)
_BUDDHIST = 543
NO_ORDER = Fault(
    "date_order",
    "nothing in the file tells the day from the month in its dates; say --date-order dmy or mdy",
    "/started_at",
)
NO_CLOCK = Fault(
    "no_clock", "the date comes without a time of the day; it stands for midnight", "/started_at"
)
NO_DATE = Fault("no_date", "the date cannot be read", "/started_at")


def orders_of(stamp: str) -> set[str]:
    """The orders of day and month under which a date can be."""
    found = _STAMP.fullmatch(_spaced(stamp))
    if found is None or len(found[1]) == 4:
        return {"dmy", "mdy"}
    first, second = int(found[1]), int(found[2])
    return {name for name, month in (("dmy", second), ("mdy", first)) if 1 <= month <= 12}


def find_order(possible: Iterable[str], said: str | None, likely: str | None = None) -> str | None:
    """The order of a whole file: the only one possible, else what the user said, else what is likely."""
    left = set(possible)
    if len(left) == 1:
        return left.pop()
    return said if said in ("dmy", "mdy") else likely


def parse_stamp(stamp: str, order: str | None) -> tuple[datetime | None, Fault | None]:
    """A local date and time, with a remark where the time of the day is missing; or why there is none."""
    found = _STAMP.fullmatch(_spaced(stamp))
    if found is None:
        return None, NO_DATE
    a, b, c = int(found[1]), int(found[2]), int(found[3])
    if len(found[1]) == 4:
        year, month, day = a, b, c
    elif order is None and a != b:
        return None, NO_ORDER
    else:
        month, day, year = (a, b, c) if order == "mdy" else (b, a, c)
    hour, half = int(found[4] or 0), (found[7] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    year = year + 2000 if year < 100 else year
    year = year - _BUDDHIST if year >= 2400 else year
    try:
        moment = datetime(year, month, day, hour, int(found[5] or 0), int(found[6] or 0))
        return moment, NO_CLOCK if found[4] is None else None
    except ValueError:
        return None, NO_DATE


def _spaced(stamp: str) -> str:
    return stamp.replace("\u00a0", " ").replace("\u202f", " ").strip()


def find_zone(name: str) -> str | None:
    """The IANA zone that a till's zone name stands for; None if nobody knows it."""
    bare = name.strip()
    found = ZONES.get(bare.casefold())
    if found is None and "/" in bare and bare in available_timezones():
        return bare
    return found


def to_instant(local: datetime, zone_name: str, fallback: str | None) -> tuple[str, Fault | None]:
    """RFC 3339 by the zone that the record names, else by `fallback`; without either, the local time."""
    minutes = _LETTERS.get(zone_name.strip().upper())
    if minutes is not None:
        return _with_minutes(local, minutes), None
    named = re.fullmatch(r"(?:GMT|UTC)?\s*([+-])(\d{1,2}):?(\d{2})?", zone_name.strip())
    if named is not None:
        minutes = (int(named[2]) * 60 + int(named[3] or 0)) * (-1 if named[1] == "-" else 1)
        return _with_minutes(local, minutes), None
    zone = find_zone(zone_name)
    unknown = Fault("unknown_zone", "the time zone that the record names is not known", "/started_at")
    if zone is None and fallback is None:
        return local.isoformat(), unknown if zone_name.strip() else None
    text, remark = with_offset(local, zone or fallback or "UTC")
    return text, remark or (unknown if zone is None and zone_name.strip() else None)


def _with_minutes(local: datetime, minutes: int) -> str:
    if minutes == 0:
        return local.isoformat() + "Z"
    sign = "-" if minutes < 0 else "+"
    offset = timedelta(minutes=abs(minutes))
    hours, rest = divmod(int(offset.total_seconds()) // 60, 60)
    return f"{local.isoformat()}{sign}{hours:02}:{rest:02}"
