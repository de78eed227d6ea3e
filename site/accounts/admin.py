"""allauth's own pages in the administration that are not for anybody's eyes.

One shows the secret of a second factor, with which its owner can be passed for; the other breaks when it is searched.
People have pages of their own for both (accounts:security).
"""

from allauth.mfa import admin as mfa_admin
from allauth.mfa.models import Authenticator
from allauth.usersessions import admin as usersessions_admin
from allauth.usersessions.models import UserSession
from django.contrib import admin

REGISTERED_BY = (mfa_admin, usersessions_admin)  # imported first, so that they are not registered again later

admin.site.unregister([Authenticator, UserSession])
