"""What a call with an Idempotency-Key was answered, so that a client that repeats it gets the same answer and no second effect."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class IdempotentCall(models.Model):
    """One per API key and Idempotency-Key. Without `status` the first call is still under way."""

    api_key = models.ForeignKey("models.ApiKey", on_delete=models.CASCADE, related_name="+", verbose_name=_("API key"))
    key = models.CharField(_("Idempotency-Key"), max_length=200)
    fingerprint = models.CharField(_("digest of the call"), max_length=64)
    created_at = models.DateTimeField(_("first called at"), auto_now_add=True)
    status = models.IntegerField(_("HTTP status"), null=True, blank=True)
    body = models.JSONField(_("answer"), null=True, blank=True)

    class Meta:
        verbose_name = _("idempotent call")
        verbose_name_plural = _("idempotent calls")
        constraints = [models.UniqueConstraint(fields=["api_key", "key"], name="idempotency_key_once_per_api_key")]
        indexes = [models.Index(fields=["created_at"], name="idempotent_call_age")]

    def __str__(self) -> str:
        return self.key
