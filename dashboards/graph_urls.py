from django.urls import path

from dashboards import graph_builder, graph_public, graph_sharing, graph_views

OF_MACHINE = "machines/<int:pk>/graphs/"
OF_GRAPH = f"{OF_MACHINE}<int:graph_pk>/"

app_name = "graphs"
urlpatterns = [
    path("graphs/", graph_views.everywhere, name="everywhere"),
    path(OF_MACHINE, graph_views.graph_list, name="list"),
    path(f"{OF_MACHINE}new/", graph_builder.new, name="new"),
    path(f"{OF_MACHINE}order/", graph_views.order, name="order"),
    path(f"{OF_MACHINE}sharing/", graph_sharing.sharing, name="sharing"),
    path(f"{OF_MACHINE}sharing/<int:link_pk>/revoke/", graph_sharing.link_revoke, name="link-revoke"),
    path(OF_GRAPH, graph_views.show, name="show"),
    path(f"{OF_GRAPH}table/", graph_views.table, name="table"),
    path(f"{OF_GRAPH}edit/", graph_builder.edit, name="edit"),
    path(f"{OF_GRAPH}move/", graph_views.move, name="move"),
    path(f"{OF_GRAPH}duplicate/", graph_views.duplicate, name="duplicate"),
    path(f"{OF_GRAPH}delete/", graph_views.delete, name="delete"),
]

public_graphs = [  # at /g/, without an account
    path("<str:token>/", graph_public.page, name="page"),
    path("<str:token>/<int:graph_pk>/", graph_public.graph, name="graph"),
    path("<str:token>/<int:graph_pk>/table/", graph_public.table, name="table"),
]
