"""Makes table.csv: sun times by another implementation, to hold ours against.

The source is the package astral 3.2 of PyPI (Apache-2.0), which computes them after Jean Meeus.

    pip install astral==3.2
    python3 make.py > table.csv

Times are minutes of the day in UTC, on days of 2024; negative or above 1440 where that of the
solar day falls on another day in UTC. An empty cell: the sun does not cross that altitude.
Altitude is that of the true centre of the sun, without refraction, at 9:00 UTC.
"""

from datetime import date, datetime, timedelta, timezone

from astral import Observer
from astral.sun import SunDirection, elevation, noon, time_at_elevation

PLACES = [
    ("equator", 0.0, 30.0),
    ("new-york", 40.7, -74.0),
    ("brussels", 50.85, 4.35),
    ("oslo", 59.9, 10.75),
    ("oulu", 65.0, 25.5),
    ("tromso", 69.65, 18.95),
    ("sydney", -33.87, 151.2),
    ("ushuaia", -54.8, -68.3),
]
ALTITUDES = [-0.833, -6.0, -12.0]


def minutes(day, when):
    midnight = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    return (when - midnight) / timedelta(minutes=1)


def crossing(observer, day, altitude, direction, mid):
    """The crossing that belongs to this solar day: it may be on a neighbouring day in UTC."""
    sign = -1 if direction is SunDirection.RISING else 1
    found = []
    for ahead in (-1, 0, 1):
        try:
            asked = day + timedelta(days=ahead)
            when = time_at_elevation(observer, altitude, asked, direction, with_refraction=False)
        except ValueError:
            continue
        found.append(minutes(day, when))
    found = [value for value in found if 0 < sign * (value - mid) < 720]
    return f"{found[0]:.2f}" if found else ""


def main():
    names = ["sunrise", "sunset", "civil_dawn", "civil_dusk", "nautical_dawn", "nautical_dusk"]
    print(",".join(["place", "latitude", "longitude", "date", "noon", "altitude_9h", *names]))
    for name, latitude, longitude in PLACES:
        observer = Observer(latitude, longitude, 0.0)
        for month in range(1, 13):
            for dom in (6, 21):
                day = date(2024, month, dom)
                mid = minutes(day, noon(observer, day))
                at_nine = datetime(2024, month, dom, 9, tzinfo=timezone.utc)
                altitude = elevation(observer, at_nine, with_refraction=False)
                cells = [
                    crossing(observer, day, altitude, direction, mid)
                    for altitude in ALTITUDES
                    for direction in (SunDirection.RISING, SunDirection.SETTING)
                ]
                row = [name, latitude, longitude, day, f"{mid:.2f}", f"{altitude:.3f}", *cells]
                print(",".join(str(cell) for cell in row))


main()
