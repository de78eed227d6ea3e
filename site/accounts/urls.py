"""People. Our pages are named `accounts:...`; the names of allauth's (`account_login` ...) belong to no namespace."""

from django.urls import include, path

from accounts import views

pages = [
    path("profile/", views.profile, name="profile"),
]

urlpatterns = [
    path("", include((pages, "accounts"))),
    path("email/", views.email, name="account_email"),  # in place of allauth's
    path("", include("allauth.account.urls")),
]
