from django.urls import path

from machines import views

app_name = "machines"
urlpatterns = [
    path("", views.machine_list, name="list"),
    path("new/", views.upload, name="new"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/source/", views.source, name="source"),
    path("<int:pk>/columns/", views.columns, name="columns"),
    path("<int:pk>/columns/<int:column_pk>/", views.column, name="column"),
    path("<int:pk>/reading/cancel/", views.reading_cancel, name="reading-cancel"),
    path("<int:pk>/rows/", views.rows, name="rows"),
    path("<int:pk>/training/", views.training, name="training"),
    path("<int:pk>/training/finish/", views.training_finish, name="training-finish"),
    path("<int:pk>/training/cancel/", views.training_cancel, name="training-cancel"),
    path("<int:pk>/predict/", views.predict, name="predict"),
    path("<int:pk>/solve/", views.solve, name="solve"),
    path("<int:pk>/answers/<int:work_pk>/", views.answers, name="answers"),
    path("<int:pk>/answers/<int:work_pk>/file/", views.answers_file, name="answers-file"),
    path("<int:pk>/answers/<int:work_pk>/errors/", views.answers_errors, name="answers-errors"),
    path("<int:pk>/answers/<int:work_pk>/cancel/", views.answers_cancel, name="answers-cancel"),
    path("<int:pk>/answers/<int:work_pk>/delete/", views.answers_delete, name="answers-delete"),
    path("<int:pk>/download/", views.download, name="download"),
    path("<int:pk>/sharing/", views.sharing, name="sharing"),
    path("<int:pk>/sharing/team/", views.sharing_team, name="sharing-team"),
    path("<int:pk>/sharing/links/<int:link_pk>/revoke/", views.sharing_revoke, name="link-revoke"),
    path("<int:pk>/delete/", views.delete, name="delete"),
]

public_forms = [path("<str:token>/", views.public_form, name="form")]  # at /p/, without an account
