"""What inputs and outputs of an uploaded model mean: one small form for each, in the model's order, none of it required.

They speak as machines.serving.words does. A row without a name stands for nothing: the value belongs to the choice above.
"""

from collections.abc import Mapping, Sequence
from math import isclose
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from machines.engine.errors import DataError
from machines.forms.fields import NumberField
from machines.services.texts import sentence
from machines.serving.signature import TEXT, Signature
from machines.serving.words import MOST_LABEL, MOST_NAME, MOST_WORDS, Kind

MOST_SPARE = 20  # rows without a name below the others
NONE, DEVIATION, SPAN = "", "deviation", "span"
LABELS_LENGTH = 20_000  # characters
WIDE_KINDS = {Kind.CHANCES, Kind.LOGITS}
SCALINGS = [
    (NONE, gettext_lazy("None")),
    (DEVIATION, gettext_lazy("Mean and standard deviation")),
    (SPAN, gettext_lazy("Lowest and highest")),
]


class WordsForm(forms.Form):
    """What inputs and outputs have in common."""

    key: ClassVar[str]  # of the field that says which kind it is
    folded: ClassVar[tuple[str, ...]]  # shown when somebody asks for more

    name = forms.CharField(label=gettext_lazy("Name"), required=False, max_length=MOST_NAME)
    unit = forms.CharField(label=gettext_lazy("Unit"), required=False, max_length=MOST_NAME)
    low = NumberField(label=gettext_lazy("Lowest plausible"), required=False)
    high = NumberField(label=gettext_lazy("Highest plausible"), required=False)
    description = forms.CharField(label=gettext_lazy("Hint"), required=False, max_length=MOST_WORDS)
    labels = forms.CharField(
        label=gettext_lazy("Choices"),
        required=False,
        max_length=LABELS_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One a line, in the order of the model's numbers."),
    )
    scaling = forms.ChoiceField(label=gettext_lazy("Scaling"), required=False, choices=SCALINGS)
    first = NumberField(label=gettext_lazy("Mean, or lowest"), required=False)
    second = NumberField(label=gettext_lazy("Deviation, or highest"), required=False)

    use_required_attribute = False  # rows without a name stay as they are

    def __init__(self, *args: Any, title: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = title
        for field in self.fields.values():
            field.quiet_optional = True  # type: ignore[attr-defined]  # read by our template of a field

    @classmethod
    def initial_from(cls, words: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the fields show for words that were kept before."""
        offset, scale, low, high = words["offset"], words["scale"], words["low"], words["high"]
        is_span = None not in (low, high) and low == offset and isclose(high - low, scale)
        scaling = NONE if (offset, scale) == (0, 1) else SPAN if is_span else DEVIATION
        first, second = {NONE: (None, None), DEVIATION: (offset, scale), SPAN: (low, high)}[scaling]
        return {**words, "labels": "\n".join(words["labels"]), "scaling": scaling, "first": first, "second": second}

    def clean_labels(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["labels"].splitlines() if line.strip()]

    def clean_name(self) -> str:
        return str(self.cleaned_data["name"]).strip()

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        first: Any = data.get("first")
        second: Any = data.get("second")
        if data.get("scaling") and (first is None or second is None) and not {"first", "second"} & self.errors.keys():
            self.add_error("first" if first is None else "second", _("Type a number, or choose no scaling."))
        elif data.get("scaling") == SPAN and first is not None and first == second:
            self.add_error("second", _("This is the same as the lowest value."))
        elif data.get("scaling") == DEVIATION and second == 0:
            self.add_error("second", _("A standard deviation of 0 scales nothing. Choose no scaling."))
        elif data.get("scaling") == SPAN and data.get("low") is None and data.get("high") is None:
            data["low"], data["high"] = min(first, second), max(first, second)
        low, high = data.get("low"), data.get("high")
        if data.get(self.key) == "number" and low is not None and high is not None and low > high:
            self.add_error("low", _("The lowest value lies above the highest."))
        return data

    @property
    def words(self) -> dict[str, Any]:
        """What was said, without what its kind has no use for."""
        data = self.cleaned_data
        said = {name: data[name] for name in ("name", "unit", "description")} | {self.key: data[self.key]}
        numbers = {name: data[name] for name in ("low", "high")}
        return said | ({"labels": data["labels"]} if self.has_labels else numbers | self._scale())

    @property
    def is_spare(self) -> bool:
        """Whether it stands for nothing so far."""
        return not self["name"].value()

    @property
    def has_more(self) -> bool:
        """Whether something is to be seen in what is folded."""
        return any(self[name].value() or self[name].errors for name in self.folded)

    @property
    def has_labels(self) -> bool:
        raise NotImplementedError

    @property
    def width(self) -> int:
        """Values of the model that it stands for."""
        raise NotImplementedError

    def _scale(self) -> dict[str, float]:
        data = self.cleaned_data
        if not data["scaling"]:
            return {}
        span = data["second"] - (data["first"] if data["scaling"] == SPAN else 0)
        return {"offset": data["first"], "scale": span}


class InputForm(WordsForm):
    key = "type"
    folded = ("scaling", "first", "second", "fill", "description")

    type = forms.ChoiceField(
        label=gettext_lazy("Type"),
        choices=[
            ("number", gettext_lazy("Number")),
            ("choice", gettext_lazy("Choice")),
            ("text", gettext_lazy("Text")),
        ],
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("The model is given"),
        required=False,
        choices=[
            ("index", gettext_lazy("the number of the choice, from 0")),
            ("one_hot", gettext_lazy("a 0 or 1 for each choice")),
        ],
    )
    fill = forms.CharField(
        label=gettext_lazy("If unknown"),
        required=False,
        max_length=MOST_LABEL,
        help_text=gettext_lazy("Left empty, it must be answered."),
    )

    @property
    def has_labels(self) -> bool:
        return bool(self.cleaned_data["type"] == "choice")

    @property
    def width(self) -> int:
        is_wide = self.has_labels and self.cleaned_data["encoding"] == "one_hot"
        return len(self.cleaned_data["labels"]) if is_wide else 1

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("type") == "number" and data.get("fill"):
            try:
                data["fill"] = NumberField().clean(data["fill"])
            except forms.ValidationError as error:
                self.add_error("fill", error)
        return data

    @classmethod
    def initial_from(cls, words: Mapping[str, Any]) -> dict[str, Any]:
        fill = words["fill"]
        shown = NumberField().prepare_value(fill) if fill is not None else ""
        return super().initial_from(words) | {"fill": shown}

    @property
    def words(self) -> dict[str, Any]:
        fill = self.cleaned_data["fill"]
        encoding = {"encoding": self.cleaned_data["encoding"]} if self.has_labels else {}
        return super().words | {"fill": None if fill == "" else fill} | encoding


class OutputForm(WordsForm):
    key = "kind"
    folded = ("low", "high", "scaling", "first", "second", "description")

    kind = forms.ChoiceField(
        label=gettext_lazy("Meaning"),
        choices=[
            (Kind.NUMBER, gettext_lazy("A number")),
            (Kind.CHANCE, gettext_lazy("Chance of the second choice, 0 to 1")),
            (Kind.LOGIT, gettext_lazy("The same before the sigmoid")),
            (Kind.CHANCES, gettext_lazy("A chance for each choice")),
            (Kind.LOGITS, gettext_lazy("Scores before the softmax")),
            (Kind.INDEX, gettext_lazy("Number of a choice, from 0")),
            (Kind.TEXT, gettext_lazy("Text")),
        ],
    )

    @property
    def has_labels(self) -> bool:
        return Kind(self.cleaned_data["kind"]).has_labels

    @property
    def width(self) -> int:
        return len(self.cleaned_data["labels"]) if self.cleaned_data["kind"] in WIDE_KINDS else 1


class DescriptionForm:
    """All of a model's inputs and outputs. `words`: what is shown; `said`: what stands there so far."""

    def __init__(self, signature: Signature, words: Mapping[str, Any], data: Any = None) -> None:
        self.signature = signature
        self.inputs = _rows(InputForm, _("Input %(number)s"), words["inputs"], _values(signature.inputs), data)
        self.outputs = _rows(OutputForm, _("Output %(number)s"), words["outputs"], _values(signature.outputs), data)
        _offer_only_what_fits(self.inputs, "type", "text", any(t.dtype == TEXT for t in signature.inputs))
        _offer_only_what_fits(self.outputs, "kind", Kind.TEXT, any(t.dtype == TEXT for t in signature.outputs))
        self.general = ""  # what is wrong with no row in particular

    @property
    def rows(self) -> list[WordsForm]:
        return [*self.inputs, *self.outputs]

    @property
    def spare(self) -> dict[str, list[WordsForm]]:
        """The rows without a name: shown when somebody asks for them."""
        both = {"inputs": self.inputs, "outputs": self.outputs}
        return {kind: [row for row in rows if row.is_spare] for kind, rows in both.items()}

    @property
    def wrong(self) -> list[WordsForm]:
        return [row for row in self.rows if row.errors]

    @property
    def is_wrong(self) -> bool:
        return bool(self.general or self.wrong)

    def is_valid(self) -> bool:
        return not [row for row in self.rows if not row.is_valid()]  # each of them is looked at

    def said(self) -> dict[str, list[dict[str, Any]]]:
        inputs, outputs = _values(self.signature.inputs), _values(self.signature.outputs)
        return {"inputs": _said(self.inputs, inputs), "outputs": _said(self.outputs, outputs)}

    def refuse(self, error: DataError) -> None:
        """Put what the service says to the row it is about."""
        name = str(error.notice.values.get("name", ""))
        row = next((row for row in self.rows if name and row.cleaned_data["name"] == name), None)
        if row is None:
            self.general = sentence(error.notice)
        else:
            row.add_error("name", sentence(error.notice))


def _values(tensors: Sequence[Any]) -> int:
    return sum(tensor.width or 0 for tensor in tensors)


def _rows(
    form: type[WordsForm], title: str, words: Sequence[Mapping[str, Any]], values: int, data: Any
) -> list[WordsForm]:
    """One row for each that was described, and spare ones as far as the model has more values."""
    spare = min(values - len(words), MOST_SPARE)
    initials = [*(form.initial_from(item) for item in words), *({} for _number in range(spare))]
    return [
        form(data, prefix=f"{form.key}{number}", initial=initial, title=title % {"number": number})
        for number, initial in enumerate(initials, 1)
    ]


def _said(rows: Sequence[WordsForm], values: int) -> list[dict[str, Any]]:
    """Return the rows that have a name. Where a choice has come to fill several values, it takes the place of the
    untouched rows that follow it."""
    named = [row for row in rows if row.cleaned_data["name"]]
    excess, room, kept = sum(row.width for row in named) - values, 0, []
    for row in named:
        if excess > 0 and room > 0 and not row.has_changed():
            excess, room = excess - 1, room - 1
            continue
        room = row.width - 1
        kept.append(row.words)
    return kept


def _offer_only_what_fits(rows: Sequence[WordsForm], name: str, text: str, has_text: bool) -> None:
    for row in rows:
        field: Any = row.fields[name]
        field.choices = [choice for choice in field.choices if has_text or choice[0] != text]
