"""The demo: an account with a diabetes machine, trained on this computer at the first start."""

from collections.abc import Callable

from django.conf import settings
from django.utils import timezone

from machines.jobs.runner import work_run
from machines.services.columns import column_update
from machines.services.datasets import dataset_upload
from machines.services.training import training_start
from models import Machine, User, Work
from models.work import WorkState

DEMO_EMAIL = "demo@example.org"
DEMO_PASSWORD = "diabetes-demo"  # noqa: S105  (printed at every start; only `run` makes this account)
DEMO_NAME = "Diabetes risk"
DEMO_FILE = settings.BASE_DIR / "machines" / "demo" / "diabetes.csv"
DEMO_LEVEL = 1

# Column -> words for the form. Units and meanings as documented with the data set (see docs/data.md).
WORDS = {
    "Pregnancies": ("times pregnant; 0 for none or male", ""),
    "Glucose": ("plasma glucose, 2 h after glucose", "mg/dL"),
    "BloodPressure": ("diastolic", "mm Hg"),
    "SkinThickness": ("triceps skin fold", "mm"),
    "Insulin": ("2-hour serum insulin", "µU/ml"),
    "BMI": ("body mass index", "kg/m²"),
    "DiabetesPedigreeFunction": ("family history score", ""),
    "Age": ("", "years"),
    "Outcome": ("1: diabetes within five years", ""),
}
ZERO_IS_MISSING = {"Glucose", "BloodPressure", "SkinThickness", "Insulin", "BMI"}


def demo_make(*, say: Callable[[str], object] = lambda text: None) -> Machine | None:
    """Make the demo account and machine, unless it was made before: a person may have deleted the machine since."""
    user = User.objects.filter(email=DEMO_EMAIL).first()
    if user and Work.objects.in_state(WorkState.FINISHED).filter(user=user).exists():
        return None
    say("First start: making the demo account and training its machine, some seconds.")
    user = user or User.objects.create_user(
        email=DEMO_EMAIL, password=DEMO_PASSWORD, first_name="Demo", decimal_separator="."
    )
    return demo_machine(user=user)


def demo_machine(*, user: User) -> Machine:
    """Upload, describe and train the diabetes table for this user, here and now."""
    machine = dataset_upload(user=user, name=DEMO_NAME, file_name=DEMO_FILE.name, chunks=[DEMO_FILE.read_bytes()])
    for column in machine.columns.all():
        description, unit = WORDS[column.name]
        column_update(
            column=column,
            changes={"description": description, "unit": unit, "zero_is_missing": column.name in ZERO_IS_MISSING},
        )
    work = training_start(machine=machine, user=user, level=DEMO_LEVEL)
    work_run(work_id=work.pk)
    Work.objects.filter(pk=work.pk).update(told_at=timezone.now())  # nobody has asked for it
    machine.refresh_from_db()
    return machine
