"""A page that says what a button will do, takes its options, and does it on POST."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict

from tracking.admin.action_forms import TypedNameField
from tracking.admin.object_page import ObjectPage
from tracking.models.operations.preview import Preview
from tracking.presentation.next_url import next_url

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why there is nothing to do, and the link to what there is to do before, if anything."""

    text: StrOrPromise
    url: str = ""
    button: StrOrPromise = ""


class ConfirmView(ObjectPage):
    """The confirmation page of one object; a subclass says what `act` does and what `preview`
    shows.

    The fields of `filters_class` are GET parameters: the preview shows what they leave, and the
    POST repeats them. `counted` labels the number of the preview. `permission` is what the act does
    to the object ("view", "change" or "delete"), of which its admin decides; `touches` are the
    codenames of what else it changes. An act that `is_dangerous` cannot be undone: its button is
    red, the page shows the `facts`, and one types the object's name. After a redirecting act the
    browser goes to `next`, if the request has one.
    """

    explanation: ClassVar[StrOrPromise] = ""
    #: The label of the button; by default the title.
    button: ClassVar[StrOrPromise] = ""
    form_class: ClassVar[type[forms.Form]] = forms.Form
    filters_class: ClassVar[type[forms.Form]] = forms.Form
    counted: ClassVar[StrOrPromise] = ""
    permission: ClassVar[str] = "change"
    touches: ClassVar[tuple[str, ...]] = ()
    is_dangerous: ClassVar[bool] = False
    #: Why there is nothing to do if the preview counts nothing; empty: it can be done all the same.
    nothing: ClassVar[StrOrPromise] = ""

    def facts(self) -> list[tuple[StrOrPromise, str]]:
        """Return what the act would stop, as labels with values."""
        return []

    def preview(self, filters: dict[str, Any]) -> Preview | None:
        """Return what the act would do to what the filters leave; None without a preview."""
        return None

    def obstacle(self, preview: Preview | None) -> Obstacle | None:
        """Return why there is nothing to do; None if there is."""
        is_needless = self.nothing and preview is not None and not preview.count
        return Obstacle(self.nothing) if is_needless else None

    def act(self, options: dict[str, Any]) -> HttpResponse:
        """Do it, with the cleaned data of the filters and the form."""
        raise NotImplementedError

    def is_allowed(self) -> bool:
        allowed = getattr(self.site, f"has_{self.permission}_permission")
        others = [f"hitstream.{codename}" for codename in self.touches]
        return allowed(self.request, self.object) and self.request.user.has_perms(others)

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        return self._page(self.filters_class(request.GET), self._form())

    def post(self, request: HttpRequest, pk: str) -> HttpResponse:
        filters, form = self.filters_class(request.POST), self._form(request.POST)
        if not (filters.is_valid() and form.is_valid()):
            return self._page(filters, form)
        response = self.act({**filters.cleaned_data, **form.cleaned_data})
        is_done = isinstance(response, HttpResponseRedirect)
        return HttpResponseRedirect(self.next_url) if self.next_url and is_done else response

    def _form(self, data: QueryDict | None = None) -> forms.Form:
        form = self.form_class(data)
        if self.is_dangerous:
            form.fields["typed_name"] = TypedNameField(self.object.name)
        return form

    @property
    def by(self) -> str:
        return self.request.user.get_username()

    @property
    def next_url(self) -> str:
        """The page of this site that the browser came from and returns to; empty for none."""
        return next_url(self.request)

    def _page(self, filters: forms.Form, form: forms.Form) -> HttpResponse:
        preview = self._seen_preview(filters.cleaned_data) if filters.is_valid() else None
        return self.show(
            "confirm",
            subtitle=str(self.object),
            explanation=self.explanation,
            button=self.button or self.title,
            back=self.next_url,
            form=form,
            filters=filters,
            preview=preview,
            obstacle=self.obstacle(preview),
            counted=self.counted,
            facts=self.facts(),
            is_dangerous=self.is_dangerous,
        )

    def _seen_preview(self, filters: dict[str, Any]) -> Preview | None:
        """Return the preview, without the requests for users who may not view hits."""
        preview = self.preview(filters)
        if preview is None or self.request.user.has_perm("hitstream.view_hit"):
            return preview
        return replace(preview, sample=(), note="")
