"""What a machine sells and what it costs. Every amount is USD."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..fields import MoneyField

PRICES = (
    "machine_data_source_price_usd",
    "machine_api_solving_price_usd",
    "machine_machine_copy_cost_usd",
    "machine_machine_copy_update_cost_usd",
    "machine_billing_cost_solving_usd",
    "machine_billing_cost_training_usd",
)


class MarketplaceFields(models.Model):
    machine_data_source_is_public = models.BooleanField(_("data for sale"), default=False)
    machine_data_source_sample_only_public = models.BooleanField(_("only a sample is public"), default=False)
    machine_data_source_price_usd = MoneyField(_("price of the data in USD"))
    machine_api_solving_is_public = models.BooleanField(_("answers for sale"), default=False)
    machine_api_solving_price_usd = MoneyField(_("price of one answer in USD"))
    machine_machine_is_duplicatable = models.BooleanField(_("may be copied"), default=False)
    machine_machine_copy_cost_usd = MoneyField(_("price of a copy in USD"))
    machine_machine_copy_update_cost_usd = MoneyField(_("price of an update of a copy in USD"))
    machine_billing_cost_solving_usd = MoneyField(_("cost of answers so far in USD"))
    machine_billing_cost_training_usd = MoneyField(_("cost of trainings so far in USD"))

    class Meta:
        abstract = True
