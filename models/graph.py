"""What a person wants to see of a machine's rows."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .user import User


class GraphType(models.IntegerChoices):
    SCATTER = 1, _("Scatterplot with multiple semantics")
    TIMESERIES = 2, _("Timeseries plot with error bands")
    HEXBIN = 3, _("Hexbin plot with marginal distributions")
    STACKED_HISTOGRAM = 4, _("Stacked histogram on a log scale")
    BIVARIATE = 5, _("Bivariate plot with multiple elements")
    SCATTER_CONTINUOUS = 6, _("Scatterplot with continuous hues and sizes")
    REGRESSION = 7, _("Linear regression with marginal distributions")
    GROUPED_BOXPLOT = 8, _("Grouped boxplots")
    GROUPED_VIOLIN = 9, _("Grouped violinplots with split violins")
    THREE_WAY_ANOVA = 10, _("Plotting a three-way ANOVA")
    LARGE_DISTRIBUTIONS = 11, _("Plotting large distributions")
    HORIZONTAL_BOXPLOT = 12, _("Horizontal boxplot with observations")
    HORIZONTAL_BAR = 13, _("Horizontal bar plots")


GRAPH_TYPES = GraphType.choices
PALETTE = "Light24"  # the default of `hue`: the name of a palette, and no column unless the table has one of that name


class GraphQuerySet(models.QuerySet["Graph"]):
    def visible_to(self, user: "User | AnonymousUser") -> "GraphQuerySet":
        from . import Machine

        return self.filter(machine__in=Machine.objects.visible_to(user).order_by().values("pk"))

    def editable_by(self, user: "User | AnonymousUser") -> "GraphQuerySet":
        from . import Machine

        return self.filter(machine__in=Machine.objects.editable_by(user).order_by().values("pk"))


class Graph(models.Model):
    """Each axis holds the name of a column; `hue` may also be the name of a palette, as its default is."""

    machine = models.ForeignKey(
        "models.Machine", on_delete=models.CASCADE, related_name="graphs", verbose_name=_("machine")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="graphs",
        verbose_name=_("made by"),
    )
    timestamp = models.DateTimeField(_("created at"), auto_now_add=True)
    graph_name = models.CharField(_("name"), max_length=200, blank=True, default="")
    position = models.IntegerField(_("position"), default=0, help_text=_("Its place on the machine's page of graphs."))
    graph_type = models.IntegerField(_("kind"), default=1, choices=GRAPH_TYPES)
    hue = models.CharField(_("hue"), max_length=255, null=True, blank=True, default=PALETTE)
    x = models.CharField("x", max_length=255, null=True, blank=True)
    y = models.CharField("y", max_length=255, null=True, blank=True)
    z = models.CharField("z", max_length=255, null=True, blank=True)
    size = models.CharField(_("size"), max_length=255, null=True, blank=True)
    style = models.CharField(_("style"), max_length=255, null=True, blank=True)
    col = models.CharField(_("side by side"), max_length=255, null=True, blank=True)
    row = models.CharField(_("one below the other"), max_length=255, null=True, blank=True)
    color = models.CharField(_("color"), max_length=255, null=True, blank=True)
    animation_frame = models.CharField(_("moving picture over"), max_length=255, null=True, blank=True)

    objects = GraphQuerySet.as_manager()

    class Meta:
        verbose_name = _("graph")
        verbose_name_plural = _("graphs")
        ordering = ["machine_id", "position", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(graph_type__in=GraphType.values), name="graph_type_known")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        return str(GraphType(self.graph_type).label)

    graph_title = title

    @property
    def name(self) -> str:
        """What people see above it: its own name, or else its kind."""
        return self.graph_name or self.title

    @property
    def key(self) -> str:
        """What tells it apart on a page of graphs."""
        return f"{self.pk}"
