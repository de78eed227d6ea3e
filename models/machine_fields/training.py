"""How a machine is trained and what came of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..fields import MeasureField

LOSSES = [
    ("mse", "mse"),
    ("mae", "mae"),
    ("binary_crossentropy", "binary_crossentropy"),
    ("categorical_crossentropy", "categorical_crossentropy"),
]
OPTIMIZERS = [("adam", "adam"), ("sgd", "sgd"), ("rmsprop", "rmsprop")]


class PreparationFields(models.Model):
    """Limits, the rerun chain, feature engineering and encoding. The rerun flags are written by RerunStep only."""

    machine_is_data_lines_training_count_limit_enabled = models.BooleanField(_("rows are limited"), default=False)
    machine_data_lines_training_count_limit = models.IntegerField(_("most rows to learn from"), null=True, blank=True)

    machine_is_re_run_mdc = models.BooleanField(_("columns to be read again"), default=False)
    machine_is_re_run_ici = models.BooleanField(_("importance to be measured again"), default=False)
    machine_is_re_run_fe = models.BooleanField(_("features to be chosen again"), default=False)
    machine_is_re_run_enc_dec = models.BooleanField(_("encoding to be made again"), default=False)
    machine_is_re_run_nn_config = models.BooleanField(_("shape to be chosen again"), default=False)
    machine_is_re_run_model = models.BooleanField(_("model to be trained again"), default=False)

    fe_budget_total = MeasureField(_("budget of encoded columns"))
    fe_columns_fet = models.JSONField(_("encoders, by column"), default=dict, blank=True)
    fe_count_of_fet = models.JSONField(_("columns per encoder"), default=dict, blank=True)
    fe_find_delay_sec = models.IntegerField(_("seconds to choose encoders"), null=True, blank=True)
    fe_columns_inputs_importance_evaluation = models.JSONField(_("importance of inputs"), default=dict, blank=True)
    fe_columns_inputs_importance_find_delay_sec = models.IntegerField(
        _("seconds to measure importance"), null=True, blank=True
    )

    enc_dec_configuration = models.OneToOneField(
        "models.EncDecConfiguration",
        related_name="machine_enc_dec_configuration",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("encoding configuration"),
    )
    enc_dec_columns_info_input_encode_count = models.IntegerField(_("encoded inputs"), null=True, blank=True)
    enc_dec_columns_info_output_encode_count = models.IntegerField(_("encoded outputs"), null=True, blank=True)

    class Meta:
        abstract = True


class ResultFields(models.Model):
    """The network, the training and its evaluation."""

    parameter_nn_loss = models.CharField(_("loss"), max_length=100, choices=LOSSES, blank=True, default="")
    parameter_nn_loss_scaler = MeasureField(_("scale of the loss"))
    parameter_nn_optimizer = models.CharField(_("optimizer"), max_length=150, choices=OPTIMIZERS, null=True, blank=True)
    parameter_nn_shape = models.JSONField(_("shape"), null=True, blank=True, default=dict)
    parameter_nn_find_delay_sec = models.IntegerField(_("seconds to choose the shape"), null=True, blank=True)

    training_nn_model = models.OneToOneField(
        "models.NNModel",
        related_name="machine_nn_model",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("trained model"),
    )
    training_report = models.JSONField(_("report of the training"), default=dict, blank=True)
    training_training_total_delay_sec = MeasureField(_("seconds of training"))
    training_training_cell_delay_sec = MeasureField(_("seconds of training per cell"))
    training_date_time_machine_model = models.DateTimeField(_("trained at"), null=True, blank=True)
    training_training_epoch_count = models.IntegerField(_("epochs"), null=True, blank=True)
    training_training_batch_size = models.IntegerField(_("batch size"), null=True, blank=True)
    training_total_training_line_count = models.IntegerField(_("rows learned from"), null=True, blank=True)
    training_type_machine_hardware = models.TextField(_("trained on"), blank=True, default="")

    training_eval_loss_sample_training = MeasureField(_("loss on training rows"))
    training_eval_loss_sample_evaluation = MeasureField(_("loss on evaluation rows"))
    training_eval_loss_sample_training_noise = MeasureField(_("loss on training rows with noise"))
    training_eval_loss_sample_evaluation_noise = MeasureField(_("loss on evaluation rows with noise"))
    training_eval_accuracy_sample_training = MeasureField(_("accuracy on training rows"))
    training_eval_accuracy_sample_evaluation = MeasureField(_("accuracy on evaluation rows"))
    training_eval_accuracy_sample_training_noise = MeasureField(_("accuracy on training rows with noise"))
    training_eval_accuracy_sample_evaluation_noise = MeasureField(_("accuracy on evaluation rows with noise"))
    training_eval_outputs_cols_loss_sample_evaluation = models.JSONField(_("loss, by output"), default=dict, blank=True)
    training_eval_outputs_cols_accuracy_sample_evaluation = models.JSONField(
        _("accuracy, by output"), default=dict, blank=True
    )

    class Meta:
        abstract = True
