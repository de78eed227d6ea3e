from django.urls import path

from dashboards import log, servers, views, work

app_name = "dashboards"
urlpatterns = [
    path("", views.home, name="home"),
    path("log/", log.log, name="log"),
    path("work/", work.work_list, name="work"),
    path("work/notices/", work.notices, name="notices"),
    path("work/<int:work_pk>/cancel/", work.cancel, name="work-cancel"),
    path("work/<int:work_pk>/finish/", work.finish, name="work-finish"),
    path("servers/", servers.servers, name="servers"),
    path("servers/<int:server_pk>/drain/", servers.drain, {"is_draining": True}, name="server-drain"),
    path("servers/<int:server_pk>/resume/", servers.drain, {"is_draining": False}, name="server-resume"),
    path("servers/work/<int:work_pk>/cancel/", servers.cancel, name="server-work-cancel"),
    path("servers/work/<int:work_pk>/retry/", servers.retry, name="server-work-retry"),
    path("demo.csv", views.demo_table, name="demo-table"),
]
