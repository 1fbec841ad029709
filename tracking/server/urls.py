from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.translation import gettext_lazy
from django.views.generic import RedirectView

from tracking.server.sign_in import SignInForm

admin.site.site_header = admin.site.site_title = "Hitstream"
admin.site.site_url = "/console/"
admin.site.login_form = SignInForm
admin.site.index_title = gettext_lazy("Administration")

handler500 = "tracking.server.middleware.handle_error"
urlpatterns = [
    path("", include("tracking.all")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", RedirectView.as_view(pattern_name="hitstream-console:home")),
    path("favicon.ico", RedirectView.as_view(url=static("hitstream/icon.svg"))),
]
