"""Each call in words: what it does, what it takes, what it answers. A test asks for a line for each address."""

from dataclasses import dataclass
from typing import Any

from api.components import Json, listed, of

REFUSALS = {
    400: "A field or the body cannot be read; `fields` says which.",
    401: "No key was sent, or it does not work.",
    403: "The key's scope or the role in the team is too low; the sentence says which it takes.",
    404: "There is nothing here, or it is not yours.",
    409: "Not now: it is not ready, it has ended, or the same call is still under way.",
    413: "Too large, or too many rows.",
    415: "Sent in another format than this call takes.",
    422: "Understood, but not possible; the sentence says why.",
    429: "Too often. `Retry-After` says for how many seconds to wait.",
    503: "The model answers others just now. `Retry-After` says when to try again.",
}
ALWAYS = (401, 403, 429)

MODELS, MACHINES, WORK = "Uploaded models", "Trained machines", "Long work"
ABOUT = {
    MODELS: "Models that were made elsewhere, with TensorFlow, PyTorch or anything that writes ONNX.",
    MACHINES: "Machines that learned from a table here.",
    WORK: "Trainings and whatever else takes a while.",
}


@dataclass(frozen=True)
class Operation:
    """One method of one address. `sent` and `given` are examples: fields of a form, or JSON."""

    id: str
    group: str
    title: str
    about: str = ""
    scope: str = "read"
    body: str = ""  # name of a schema
    is_form: bool = False
    sent: Any = None
    answer: Json | None = None
    given: Any = None
    status: int = 200
    refusals: tuple[int, ...] = ()
    is_list: bool = False
    is_file: bool = False
    can_repeat: bool = False  # takes an Idempotency-Key

    @property
    def all_refusals(self) -> list[int]:
        sends = (409, 422) if self.can_repeat else ()
        return sorted({*ALWAYS, *self.refusals, *sends})


A_MODEL = {"id": 1, "name": "Diabetes", "framework": "tensorflow"}
A_VERSION = {
    "version": 1, "status": "uploaded", "answers": True, "framework": "tensorflow", "file_name": "diabetes.keras",
    "size_bytes": 26_311, "sha256": "9f2c…", "created_at": "2026-02-28T14:30:00Z",
}  # fmt: skip
DETAILS = A_MODEL | {
    "status": "uploaded",
    "version": 1,
    "inputs": [{"name": "input", "dtype": "float32", "shape": [8], "columns": ["x1", "x2"]}],
    "outputs": [{"name": "output", "dtype": "float32", "shape": [1], "columns": ["y"]}],
    "columns": [{"name": "x1", "type": "FLOAT", "unit": "", "low": None, "high": None}],
    "size_bytes": 26_311,
    "sha256": "9f2c…",
    "safety": {"format": "keras", "served": "converted", "reason": "", "notices": []},
    "created_at": "2026-02-28T14:30:00Z",
    "versions": [A_VERSION],
}
A_MACHINE = {
    "id": 1, "name": "Diabetes", "status": "ready", "level": 1, "rows": 768, "team": None,
    "created_at": "2026-02-28T14:30:00Z", "trained_at": "2026-02-28T14:31:00Z",
}  # fmt: skip
SOME_WORK = {
    "id": "7", "kind": "training", "machine": 1, "status": "running", "progress": 0.4, "eta_seconds": 36.0,
    "best_score": 0.65, "message": "Training the network, round 12", "attempts": 1,
}  # fmt: skip
FILE = {"framework": "tensorflow", "file": "@diabetes.keras"}

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("model-upload", "POST"): Operation(
        "uploadModel",
        MODELS,
        "Upload a model",
        "The file is opened in a locked process only, converted to ONNX and compared with the original. The answer waits "
        "for that, 30 seconds at most; what takes longer is `checking` in the details until then.",
        scope="write",
        body="ModelFile",
        is_form=True,
        sent={"name": "Diabetes"} | FILE,
        answer=of("Uploaded"),
        given={"id": 1, "status": "uploaded"},
        status=201,
        refusals=(400, 413, 415, 422),
        can_repeat=True,
    ),
    ("models", "GET"): Operation(
        "listModels", MODELS, "List models", answer=listed(of("Model")), given=[A_MODEL], is_list=True, refusals=(404,)
    ),
    ("model", "GET"): Operation(
        "getModel",
        MODELS,
        "Look at a model",
        "What it takes and gives, tensor by tensor; what the check found; its versions.",
        answer=of("ModelDetails"),
        given=DETAILS,
        refusals=(404,),
    ),
    ("model", "DELETE"): Operation(
        "deleteModel",
        MODELS,
        "Delete a model",
        "With all its versions and their files. In a team this takes the role Admin.",
        scope="write",
        status=204,
        refusals=(404, 422),
    ),
    ("model-predict", "POST"): Operation(
        "predictModel",
        MODELS,
        "Predict with a model",
        "The numbers go to the model as they are and come back as it gives them. At most 10,000 rows and 20 MB. What the "
        "model answers beyond finite numbers becomes null, and `warnings` say so.",
        scope="predict",
        body="InputData",
        sent={"input_data": [0.35, 0.74, 0.59, 0.35, 0, 0.5, 0.23, 0.48]},
        answer=of("Prediction"),
        given={"prediction": [0.7219]},
        refusals=(400, 404, 409, 413, 415, 422, 503),
    ),
    ("model-versions", "GET"): Operation(
        "listVersions",
        MODELS,
        "List the versions of a model",
        answer=listed(of("Version")),
        given=[A_VERSION],
        is_list=True,
        refusals=(404,),
    ),
    ("model-versions", "POST"): Operation(
        "uploadVersion",
        MODELS,
        "Upload another version",
        "Checked like the first one; once it has passed it answers. One that is refused changes nothing.",
        scope="write",
        body="VersionFile",
        is_form=True,
        sent=FILE,
        answer=of("UploadedVersion"),
        given={"id": 1, "version": 2, "status": "uploaded"},
        status=201,
        refusals=(400, 404, 413, 415, 422),
        can_repeat=True,
    ),
    ("model-version-use", "POST"): Operation(
        "useVersion",
        MODELS,
        "Let a version answer",
        "An older one, to go back, or a newer one again.",
        scope="write",
        answer=of("Version"),
        given=A_VERSION,
        refusals=(404, 422),
    ),
    ("machines", "GET"): Operation(
        "listMachines",
        MACHINES,
        "List machines",
        answer=listed(of("Machine")),
        given=[A_MACHINE],
        is_list=True,
        refusals=(404,),
    ),
    ("machine", "GET"): Operation(
        "getMachine",
        MACHINES,
        "Look at a machine",
        "Its columns, and how good its answers are.",
        answer=of("MachineDetails"),
        given=A_MACHINE
        | {
            "description": "",
            "seconds_at_most": {"1": 5.0, "2": 15.0, "3": 60.0, "4": 300.0, "5": 1200.0},
            "columns": [],
            "holdout": {},
            "baseline": {},
        },
        refusals=(404,),
    ),
    ("machine-predict", "POST"): Operation(
        "predictMachine",
        MACHINES,
        "Ask a machine",
        "At most 10,000 rows and 20 MB. What is unknown is left out of a row. With `reasons`, 10 rows at most, each output "
        "says what moved it: `<output>:reasons`, `null` where nothing differs from what is usual.",
        scope="predict",
        body="Rows",
        sent={"rows": [{"Glucose": 148, "Age": 50}]},
        answer=of("Predictions"),
        given={"predictions": [{"Outcome": "1", "Outcome:probabilities": {"0": 0.28, "1": 0.72}}], "warnings": []},
        refusals=(400, 404, 409, 413, 415, 422, 503),
    ),
    ("machine-download", "GET"): Operation(
        "downloadMachine",
        MACHINES,
        "Download a machine",
        "One ONNX file that ONNX Runtime runs anywhere. In a team this takes the role Editor.",
        scope="write",
        is_file=True,
        refusals=(404, 409),
    ),
    ("machine-train", "POST"): Operation(
        "trainMachine",
        MACHINES,
        "Train a machine",
        "With its columns as they are. Answers at once with the number of the work. In a team this takes the role Editor.",
        scope="write",
        body="Level",
        sent={"level": 1},
        answer=of("Begun"),
        given={"work": "7"},
        status=202,
        refusals=(400, 404, 409, 415, 422),
        can_repeat=True,
    ),
    ("work", "GET"): Operation(
        "getWork",
        WORK,
        "Look at work",
        "Ask every few seconds, not more often.",
        answer=of("Work"),
        given=SOME_WORK,
        refusals=(404,),
    ),
    ("work-cancel", "POST"): Operation(
        "cancelWork",
        WORK,
        "Cancel work",
        "Ends it at once and keeps nothing of it.",
        scope="write",
        answer=of("Work"),
        given=SOME_WORK | {"status": "cancelled"},
        refusals=(404, 409, 415),
    ),
    ("work-finish", "POST"): Operation(
        "finishWork",
        WORK,
        "Finish a training early",
        "Keeps the best found so far; it is there some seconds later.",
        scope="write",
        answer=of("Work"),
        given=SOME_WORK,
        refusals=(404, 409, 415, 422),
    ),
}
