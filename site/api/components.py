"""What bodies and answers hold, as JSON Schema. Only loaded when somebody asks for the description of the calls."""

from typing import Any

Json = dict[str, Any]


def of(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def listed(items: Json) -> Json:
    return {"type": "array", "items": items}


def thing(about: str = "", *, optional: tuple[str, ...] = (), **fields: Json) -> Json:
    """An object whose fields are always there, but for the optional ones."""
    needed = [name for name in fields if name not in optional]
    told = {"description": about} if about else {}
    return told | {"type": "object", "properties": fields} | ({"required": needed} if needed else {})


def text(about: str = "", **more: Any) -> Json:
    return {"type": "string"} | ({"description": about} if about else {}) | more


def number(about: str = "", kind: Any = "number", **more: Any) -> Json:
    return {"type": kind} | ({"description": about} if about else {}) | more


def whole(about: str = "", **more: Any) -> Json:
    return number(about, "integer", **more)


def maybe(schema: Json) -> Json:
    return schema | {"type": [schema["type"], "null"]}


MOMENT = text(format="date-time")
MODEL_STATE = text(
    "`uploaded`: it answers. `checking`: not yet. `refused`: `safety.reason` says why.",
    enum=["uploaded", "checking", "refused"],
)
FRAMEWORK = text("What it was made with.", enum=["tensorflow", "pytorch", "onnx"])
WORK_STATE = text(enum=["waiting", "running", "finished", "failed", "cancelled"])
SHAPE = listed(number("`null`: any length.", ["integer", "null"])) | {
    "description": "Of one row: [] is a single value."
}
ANY_ROWS: Json = {
    "description": "One row, a list of rows, or an object with either for each named input.",
    "anyOf": [{"type": "array"}, {"type": "object"}],
}

SCHEMAS: dict[str, Json] = {
    "Error": thing(
        error=thing(
            code=text("For programs."),
            message=text("For people."),
            fields={
                "type": "object",
                "description": "Where it is wrong: place → sentences.",
                "additionalProperties": listed(text()),
            },
        )
    ),
    "Model": thing(id=whole(), name=text(), framework=FRAMEWORK),
    "ModelDetails": thing(
        id=whole(),
        name=text(),
        framework=FRAMEWORK,
        status=MODEL_STATE,
        version=whole("The version that is told of: the one that answers, or else the newest."),
        inputs=listed(of("Tensor")),
        outputs=listed(of("Tensor")),
        columns=listed({"type": "object"}) | {"description": "What the values of a row mean, where a person said so."},
        size_bytes=whole(),
        sha256=text(),
        safety={"type": "object", "description": "What the check found; `reason` where it was refused."},
        created_at=MOMENT,
        versions=listed(of("Version")),
    ),
    "Tensor": thing(
        name=text(),
        dtype=text("A type of NumPy, or `str`."),
        shape=SHAPE,
        columns=listed(text()) | {"description": "Names of the values in a row, in their order."},
    ),
    "Version": thing(
        version=whole(),
        status=MODEL_STATE,
        answers={"type": "boolean", "description": "Whether it is the one that answers."},
        framework=FRAMEWORK,
        file_name=text(),
        size_bytes=whole(),
        sha256=text(),
        created_at=MOMENT,
    ),
    "VersionFile": thing(
        optional=("layers", "input_columns"),
        framework=FRAMEWORK,
        file=text("The model.", format="binary"),
        layers=text("JSON: the layers of a file that holds weights alone.", contentMediaType="application/json"),
        input_columns=text("JSON: what the inputs mean.", contentMediaType="application/json"),
    ),
    "ModelFile": thing(
        optional=("layers", "input_columns"),
        name=text("Of the new model.", maxLength=200),
        framework=FRAMEWORK,
        file=text("The model.", format="binary"),
        layers=text("JSON: the layers of a file that holds weights alone.", contentMediaType="application/json"),
        input_columns=text("JSON: what the inputs mean.", contentMediaType="application/json"),
    ),
    "Uploaded": thing(id=whole(), status={"const": "uploaded"}),
    "UploadedVersion": thing(id=whole(), version=whole(), status={"const": "uploaded"}),
    "InputData": thing(input_data=ANY_ROWS),
    "Prediction": thing(
        optional=("warnings",),
        prediction={
            "description": "Of one row its outputs, of many a list per row; of several outputs objects by their names.",
            "anyOf": [{"type": "array"}, {"type": "object"}],
        },
        warnings=listed(text()),
    ),
    "Machine": thing(
        id=whole(),
        name=text(),
        status=text(enum=["new", "typed", "training", "ready", "failed"]),
        level=whole(minimum=1, maximum=5),
        rows=whole(),
        team=maybe(whole("The team it is shared with.")),
        created_at=MOMENT,
        trained_at=maybe(MOMENT),
    ),
    "MachineDetails": {
        "allOf": [
            of("Machine"),
            thing(
                description=text(),
                seconds_at_most={
                    "type": "object",
                    "description": "Per level how long a training learns at most, with these rows and columns.",
                },
                columns=listed(of("Column")),
                holdout={"type": "object", "description": "Per output: metric → value with its range low to high."},
                baseline={"type": "object", "description": "The same of the best simple model."},
            ),
        ]
    },
    "Column": thing(
        name=text(),
        type=text(),
        role=text(enum=["input", "output", "ignored"]),
        reason=text("Why it has this type."),
        missing=whole(),
        unique=whole(),
        unit=text(),
        description=text(),
    ),
    "Rows": thing(
        optional=("reasons",),
        rows=listed({"type": "object", "description": "Column → value; what is unknown is left out."}),
        reasons={
            "type": "boolean",
            "default": False,
            "description": "Whether each output comes with its reasons. Of 10 rows at most.",
        },
    ),
    "Predictions": thing(
        predictions=listed(
            {
                "type": "object",
                "description": "Output → value, with its range or the chance of each class; `<output>:reasons` as asked.",
                "patternProperties": {":reasons$": {"anyOf": [of("Reasons"), {"type": "null"}]}},
            }
        ),
        warnings=listed(text()),
    ),
    "Reasons": thing(
        "What moved an answer away from that to a row of usual values. They add up to the answer; they are no causes.",
        usual=number("Of the usual row: the number, or the chance of the label that was answered."),
        parts={
            "type": "object",
            "description": "Column → how far its value moves the answer, the strongest first.",
            "additionalProperties": number(),
        },
        others=number("The same of all other columns together."),
    ),
    "Level": thing(
        optional=("level", "split"),
        level=whole("Left out, it is the machine's own.", minimum=1, maximum=5),
        split=thing(
            "How rows belong together. Left out, as it was said before.",
            optional=("column",),
            kind=text(enum=["rows", "group", "time"]),
            column=maybe(text("The column that tells; none where each row stands alone.")),
        ),
    ),
    "Begun": thing(work=text("Its number.")),
    "Work": thing(
        id=text(),
        kind=text(enum=["training", "solving", "reading", "export", "checking"]),
        machine=maybe(whole()),
        status=WORK_STATE,
        progress=number(minimum=0, maximum=1),
        eta_seconds=maybe(number()),
        best_score=maybe(number()),
        message=text(),
        attempts=whole(),
    ),
}
