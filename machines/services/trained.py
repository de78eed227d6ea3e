"""What a training found, written to the machine: model, encoding, report and the seed's evaluation fields."""

import platform
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from machines.services.network import network_write
from machines.services.works import machine_held
from machines.serving.predictor import Predictor
from models import EncDecConfiguration, Machine, NNModel, Work

SAMPLES = ("training", "evaluation", "training_noise", "evaluation_noise")


@transaction.atomic
def model_record(*, work: Work, onnx: bytes, report: dict[str, Any]) -> None:
    """Put a finished training on its machine. A work that was ended, or a machine deleted, meanwhile changes nothing."""
    machine = machine_held(work=work)
    if machine is None or not work.finish({"outputs": [output["name"] for output in report["outputs"]]}):
        return
    old_model, old_encoding = machine.training_nn_model_id or 0, machine.enc_dec_configuration_id or 0
    machine.training_nn_model = NNModel.objects.create(nn_model=onnx)
    machine.enc_dec_configuration = EncDecConfiguration.objects.create(enc_dec_config=Predictor(onnx).metadata)
    _figures_write(machine, report)
    machine.save()
    machine.training_succeeded()
    NNModel.objects.filter(pk=old_model).delete()
    EncDecConfiguration.objects.filter(pk=old_encoding).delete()


def _figures_write(machine: Machine, report: dict[str, Any]) -> None:
    machine.training_report = report
    machine.training_date_time_machine_model = timezone.now()
    machine.training_training_total_delay_sec = _decimal(report["seconds"])
    cells = max(1, report["rows"] * (machine.mdc_columns_total_count or 1))
    machine.training_training_cell_delay_sec = _decimal(report["seconds"] / cells)
    machine.training_training_epoch_count = report["epochs"]
    machine.training_total_training_line_count = report["rows_trained"]
    machine.training_type_machine_hardware = f"{platform.machine()} {platform.system()}"
    machine.fe_columns_inputs_importance_evaluation = dict(report["importance"])
    network_write(machine, report.get("network") or {})
    for sample in SAMPLES:
        figures = report["samples"].get(sample, {})
        setattr(machine, f"training_eval_loss_sample_{sample}", _decimal(figures.get("loss")))
        setattr(machine, f"training_eval_accuracy_sample_{sample}", _decimal(figures.get("accuracy")))
    for figure in ("loss", "accuracy"):
        by_output = {
            output["name"]: output["samples"].get("evaluation", {}).get(figure) for output in report["outputs"]
        }
        setattr(machine, f"training_eval_outputs_cols_{figure}_sample_evaluation", by_output)


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else round(Decimal(str(value)), 8)
