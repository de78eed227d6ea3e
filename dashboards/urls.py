from django.urls import path

from dashboards import log, views

app_name = "dashboards"
urlpatterns = [
    path("", views.home, name="home"),
    path("log/", log.log, name="log"),
    path("demo.csv", views.demo_table, name="demo-table"),
]
