"""Continues every series of an M4 file by MSTL with an ETS trend, as statsforecast does it.

Prints the version, the seconds that the forecast took (after a first small one, so that nothing is compiled
within), and one line a series: its name and its values.
"""

import csv
import os
import sys
import time

import pandas
import statsforecast
from statsforecast import StatsForecast
from statsforecast.models import MSTL, AutoETS


def read(path):
    names, steps, values = [], [], []
    with open(path, newline="") as file:
        for row in list(csv.reader(file))[1:]:
            cells = [float(cell) for cell in row[1:] if cell]
            names += [row[0]] * len(cells)
            steps += range(1, len(cells) + 1)
            values += cells
    return pandas.DataFrame({"unique_id": names, "ds": steps, "y": values})


def main():
    frame, horizon = read(sys.argv[1]), int(sys.argv[2])
    model = MSTL(season_length=[24, 168], trend_forecaster=AutoETS(model="ZZN"), alias="made")
    forecaster = StatsForecast(models=[model], freq=1, n_jobs=len(os.sched_getaffinity(0)))
    first = frame["unique_id"].drop_duplicates()
    forecaster.forecast(df=frame[frame["unique_id"].isin(first[:4])], h=horizon)
    begun = time.perf_counter()
    made = forecaster.forecast(df=frame, h=horizon).reset_index()
    seconds = time.perf_counter() - begun
    print(statsforecast.__version__)
    print(seconds)
    by_name = {name: group["made"].tolist() for name, group in made.groupby("unique_id")}
    for name in first:
        print(",".join([name] + [repr(float(value)) for value in by_name[name]]))


if __name__ == "__main__":
    main()
