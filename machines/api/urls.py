"""The addresses of the calls, below /api/."""

from django.urls import path

from machines.api.machines import Download, MachineDetail, MachineList, Predict, Train
from machines.api.models import ModelDetail, ModelList, ModelPredict, ModelUpload, VersionList, VersionUse
from machines.api.work import WorkCancel, WorkDetail, WorkFinish

urlpatterns = [
    path("", MachineList.as_view(), name="machines"),
    path("<int:pk>/", MachineDetail.as_view(), name="machine"),
    path("<int:pk>/predict/", Predict.as_view(), name="machine-predict"),
    path("<int:pk>/download/", Download.as_view(), name="machine-download"),
    path("<int:pk>/train/", Train.as_view(), name="machine-train"),
]
work_urlpatterns = [
    path("<int:work_pk>/", WorkDetail.as_view(), name="work"),
    path("<int:work_pk>/cancel/", WorkCancel.as_view(), name="work-cancel"),
    path("<int:work_pk>/finish/", WorkFinish.as_view(), name="work-finish"),
]
model_urlpatterns = [
    path("", ModelList.as_view(), name="models"),
    path("upload/", ModelUpload.as_view(), name="model-upload"),
    path("<int:pk>/", ModelDetail.as_view(), name="model"),
    path("<int:pk>/predict/", ModelPredict.as_view(), name="model-predict"),
    path("<int:pk>/versions/", VersionList.as_view(), name="model-versions"),
    path("<int:pk>/versions/<int:number>/use/", VersionUse.as_view(), name="model-version-use"),
]
