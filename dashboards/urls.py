from django.urls import path

from dashboards import export_views, log, profile_views, report_views, servers, views, work

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
    path("machines/<int:pk>/profile/", profile_views.profile, name="profile"),
    path("machines/<int:pk>/profile/cancel/", profile_views.profile_cancel, name="profile-cancel"),
    path("machines/<int:pk>/profile/associations.csv", profile_views.associations_csv, name="profile-associations"),
    path("machines/<int:pk>/profile/columns/<int:column_pk>.csv", profile_views.column_csv, name="profile-column"),
    path("machines/<int:pk>/report.html", export_views.report_html, name="report-html"),
    path("machines/<int:pk>/report.pdf", export_views.report_pdf, name="report-pdf"),
    path("machines/<int:pk>/report/", report_views.report, name="report"),
    path("machines/<int:pk>/report/<str:key>.csv", report_views.table, name="report-table"),
    path("machines/<int:pk>/training.csv", report_views.training_table, name="training-table"),
    path("demo.csv", views.demo_table, name="demo-table"),
]
