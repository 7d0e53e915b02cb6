"""People who sign in, their roles, and the audit trail.

Nobody but a superuser hands out is_superuser, groups, permissions and the door to the admin. Roles are given by
administrators, and by organisers at their conference, never above their own (accounts.roles). And nobody may change, or
set the password of, somebody who may do more than they do themselves.
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import admin_factors, factor_resets, roles, trail_words
from accounts.actors import Actor, audit_entry
from accounts.models import AuditEntry, Role, User
from alliance.admin import (
    HouseAdmin,
    HouseForm,
    HouseTabular,
    ReadOnlyAdmin,
    ShowsRefusal,
    as_json,
    clock_time,
    explain,
    named,
    refuse,
)
from alliance.field_errors import ClearErrors
from outbox.admin import MessageAdmin

explain("user_email_is_unique", gettext_lazy("A user with this e-mail address exists already."), field="email")
explain("role_held_once", gettext_lazy("This role is held already."))
explain(
    "role_of_convenor_is_at_a_session",
    gettext_lazy("Convenors have a side event and no conference; nobody else has one, or the mark for addresses."),
    field="session",
)

POWERS = ("is_superuser", "is_staff", "groups", "user_permissions")


def acting(request: HttpRequest) -> User:
    """The signed-in user; admin pages have one."""
    return cast("User", request.user)


def actor(request: HttpRequest) -> Actor:
    """Who acts, for services."""
    return Actor.organiser(acting(request))


class RoleForm(HouseForm[Role]):
    """Nobody gives, changes or takes away a role above their own, nor one of themselves."""

    acting_user: ClassVar[User | None] = None
    email = forms.EmailField(
        label=gettext_lazy("e-mail address"),
        help_text=gettext_lazy("Of somebody who has an account here."),
    )

    def clean_email(self) -> str:
        """The user with that address."""
        user = User.objects.filter(email__iexact=self.cleaned_data["email"], is_active=True).first()
        if user is None:
            raise forms.ValidationError(_("Nobody signs in here with this address."))
        self.instance.user = user
        return user.email

    def clean(self) -> dict[str, Any] | None:
        """Refuse what is not the user's to give."""
        cleaned = super().clean()
        acts = self.acting_user
        if acts is None or not self.has_changed() or self.errors:
            return cleaned
        if self.instance.pk and not roles.may_give(acts, Role.objects.get(pk=self.instance.pk), right="delete"):
            self.add_error(None, _("You may not change this role."))
        given = Role(
            user=self.cleaned_data.get("user") or self.instance.user,
            **{
                name: self.cleaned_data.get(name, getattr(self.instance, name))
                for name in ("kind", "conference", "session", "may_see_contacts")
            },
        )
        if not roles.may_give(acts, given):
            self.add_error(None, _("You may not give this role."))
        return cleaned


class RoleInline(HouseTabular[Role, User]):
    """What somebody is where; their Django permissions stand above, in the user's own form."""

    model = Role
    form = RoleForm
    fields = ["kind", "conference", "session", "may_see_contacts"]
    autocomplete_fields = ["conference", "session"]
    load = ("conference", "session", "user")
    ordering = ["pk"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Those that the user may see: what somebody is elsewhere is nobody's business."""
        return self.visible(request, super().get_queryset(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Users belong to no conference, so that a right anywhere shows the roles that belong to it."""
        return super().has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The form says which roles."""
        return super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The form says which roles."""
        return super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only on the page of a user whose roles the acting one may take away, all of those shown."""
        if not super().has_delete_permission(request):
            return False
        if obj is None or acting(request).is_superuser:
            return True
        return all(
            roles.may_give(acting(request), role, right="delete")
            for role in self.get_queryset(request).filter(user=obj)
        )

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Forms that know who acts."""
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.acting_user = acting(request)
        formset.form.base_fields.pop("email", None)
        return formset


class NewUserForm(ClearErrors, ShowsRefusal, AdminUserCreationForm):  # type: ignore[type-arg]
    """A new user signs in by e-mail; the address is kept in lower case."""

    class Meta:
        model = User
        fields = ("email", "name", "language")

    def clean_email(self) -> str:
        """One person, one spelling."""
        return str(self.cleaned_data["email"]).lower()


class ChangedUserForm(ClearErrors, ShowsRefusal, UserChangeForm):  # type: ignore[type-arg]
    """An existing user."""

    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self) -> str:
        """One person, one spelling."""
        return str(self.cleaned_data["email"]).lower()


class HouseUserAdmin(HouseAdmin[User], UserAdmin):  # type: ignore[type-arg]
    """Users. See the head of the module for who may change whom."""

    form = ChangedUserForm
    add_form = NewUserForm
    inlines = [RoleInline]
    list_display = ["email", "name", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_superuser", "is_active", "roles__kind"]
    ordering = ["email"]
    search_fields = ["email", "name"]
    search_by_id = ("public_id",)
    readonly_fields = ["last_login", "date_joined", "second_factor_page"]
    filter_horizontal = ["groups", "user_permissions"]
    fieldsets = [
        (None, {"fields": ["email", "password", "second_factor_page"]}),
        (gettext_lazy("Person"), {"fields": ["name", "language"]}),
        (gettext_lazy("Powers"), {"fields": ["is_active", *POWERS]}),
        (gettext_lazy("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (
            None,
            {"classes": ["wide"], "fields": ["email", "name", "language", "usable_password", "password1", "password2"]},
        )
    ]

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the second factor."""
        return [
            path(
                "<int:pk>/second-factor/",
                self.admin_site.admin_view(self.second_factor),
                name="accounts_user_second_factor",
            ),
            *super().get_urls(),
        ]

    def second_factor(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What somebody has, and the reset that takes two administrators."""
        user = self.get_object(request, str(pk))
        if user is None or not self.has_view_permission(request, user):
            raise Http404
        return admin_factors.page(request, user, self.admin_site.each_context(request))

    @admin.display(description=gettext_lazy("second factor"))
    def second_factor_page(self, user: User) -> str:
        """The way to it."""
        address = reverse("admin:accounts_user_second_factor", args=[user.pk])
        return format_html('<a href="{}">{}</a>', address, _("Look, or reset it when it is lost"))

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """The way to the second factor for those alone who may go there: not to one's own."""
        found = super().get_fieldsets(request, obj)
        if obj is None or (obj.pk != acting(request).pk and factor_resets.may_act(acting(request), obj)):
            return found
        kept = [name for name in self.fieldsets[0][1]["fields"] if name != "second_factor_page"]
        return [(None, {"fields": kept}), *found[1:]]

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The short form for a new user."""
        if obj is None:
            kwargs["form"] = self.add_form
        return super().get_form(request, obj, change=change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        """Roles are given to users who exist."""
        return self.inlines if obj is not None else []

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Powers are shown, and handed out by administrators only."""
        return [*self.readonly_fields, *(() if acting(request).is_superuser else POWERS)]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody changes those above them."""
        allowed = super().has_change_permission(request, obj)
        return allowed and not (obj is not None and roles.stands_above(obj, acting(request)))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody deletes those above them, and the list has no action that would ask for nobody in particular."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj is not None and roles.stands_above(obj, acting(request)))

    def get_actions(self, request: HttpRequest) -> Any:
        """Users are deleted one by one, so that each is looked at; better, they are made inactive."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A form that brings powers which its sender cannot give was not made by our page."""
        if (
            request.method == "POST"
            and not acting(request).is_superuser
            and any(name in request.POST for name in POWERS)
        ):
            refuse(request, "user_powers")
        return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """With a line in the audit trail where it is about who gets in, and what they may do then."""
        super().save_model(request, obj, form, change)
        touched = [name for name in ("email", "is_active", *POWERS) if change and name in form.changed_data]
        if not change or touched:
            said = {name: getattr(obj, name) if name.startswith("is_") else "changed" for name in touched}
            self._record(request, obj, "user.changed" if change else "user.added", **said)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """With a line in the audit trail."""
        self._record(request, obj, "user.deleted")
        super().delete_model(request, obj)

    def _record(self, request: HttpRequest, user: User, action: str, **details: object) -> None:
        now, by = timezone.now(), actor(request)
        audit_entry(
            at=now, by=by, action=action, about_kind="user", about_id=user.public_id, details=dict(details)
        ).save()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Roles with their lines in the audit trail."""
        touched = [
            one.instance.pk for one in formset.initial_forms if one.has_changed() or one in formset.deleted_forms
        ]
        with transaction.atomic():
            before = list(Role.objects.filter(pk__in=touched).select_related("user", "conference", "session"))
            super().save_formset(request, form, formset, change)
            by, now = actor(request), timezone.now()
            roles.record(before, roles.WITHDRAWN, by=by, now=now)
            given = [*formset.new_objects, *(row for row, _names in formset.changed_objects)]
            roles.record(given, roles.GRANTED, by=by, now=now)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """With a line in the audit trail; log who tries to take over an account above their own."""
        user = self.get_object(request, id)
        if user is not None and roles.stands_above(user, acting(request)):
            refuse(request, "user_password")
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            if user is not None and not User.objects.filter(pk=user.pk, password=user.password).exists():
                self._record(request, user, "password.set")
        return response


class RoleAdmin(HouseAdmin[Role]):
    """Who is what where. docs/roles.md says what each role allows."""

    form = RoleForm
    list_display = ["user", "kind", "conference", "session", "granted_at"]
    list_filter = ["kind", "conference"]
    list_select_related = ["user", "conference", "session"]
    ordering = ["user__email", "pk"]
    search_fields = ["user__email", "user__name"]
    autocomplete_fields = ["user", "conference", "session"]

    def get_fields(self, request: HttpRequest, obj: Role | None = None) -> Any:
        """The list of users is for those who see all of them; others know whom they mean by the address."""
        sees_all = acting(request).access.holds_everywhere("accounts.view_user", "accounts.change_user")
        whom = "user" if obj is not None or sees_all else "email"
        return [whom, "kind", "conference", "session", "may_see_contacts"]

    def get_readonly_fields(self, request: HttpRequest, obj: Role | None = None) -> list[str]:
        """A role stays with whom it was given to."""
        return ["user"] if obj is not None else []

    def get_form(self, request: HttpRequest, obj: Role | None = None, change: bool = False, **kwargs: Any) -> Any:
        """A form that knows who acts, and has one way to say who receives."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.acting_user = acting(request)
        if "email" not in self.get_fields(request, obj):
            form.base_fields.pop("email", None)
        return form

    def has_change_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        """Whoever may take it away."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or roles.may_give(acting(request), obj, right="change"))

    def has_delete_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        """Nobody takes away what they could not give."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or roles.may_give(acting(request), obj, right="delete"))

    def save_model(self, request: HttpRequest, obj: Role, form: Any, change: bool) -> None:
        """With a line in the audit trail."""
        before = list(Role.objects.filter(pk=obj.pk)) if change else []
        super().save_model(request, obj, form, change)
        by, now = actor(request), timezone.now()
        roles.record(before, roles.WITHDRAWN, by=by, now=now)
        roles.record([obj], roles.GRANTED, by=by, now=now)

    def delete_model(self, request: HttpRequest, obj: Role) -> None:
        """With a line in the audit trail."""
        roles.record([obj], roles.WITHDRAWN, by=actor(request), now=timezone.now())
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Role]) -> None:
        """With a line each in the audit trail."""
        taken = queryset.select_related("user", "conference", "session")
        roles.record(taken, roles.WITHDRAWN, by=actor(request), now=timezone.now())
        super().delete_queryset(request, queryset)


class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    """What was done, when and by whom. Nobody changes it."""

    list_display = ["at_utc", "what", "actor_kind", "actor_user", "about", "about_id"]
    list_filter = [("action", named(trail_words.action)), "actor_kind", ("about_kind", named(trail_words.kind))]
    list_select_related = ["actor_user"]
    ordering = ["-at", "-pk"]
    search_fields = ["action"]
    search_by_id = ("about_id",)
    search_help_text = gettext_lazy("An action, or a whole public id.")
    fields = ["at_utc", ("what", "action"), "actor_kind", "actor_user", ("about", "about_id"), "shown_details"]

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        """Nobody."""
        return False

    @staticmethod
    def label_of(entry: AuditEntry) -> str:
        """What was done."""
        return trail_words.action(entry.action)

    @admin.display(description=gettext_lazy("what was done"), ordering="action")
    def what(self, entry: AuditEntry) -> str:
        """In words; the page of the entry has the code, too."""
        return trail_words.action(entry.action)

    @admin.display(description=gettext_lazy("kind of row"), ordering="about_kind")
    def about(self, entry: AuditEntry) -> str:
        """In words."""
        return trail_words.kind(entry.about_kind)

    @admin.display(description=gettext_lazy("at"), ordering="at")
    def at_utc(self, entry: AuditEntry) -> str:
        """When."""
        return clock_time(entry.at)

    @admin.display(description=gettext_lazy("details"))
    def shown_details(self, entry: AuditEntry) -> str:
        """Ids, states and reasons."""
        return as_json(entry.details)


class HouseGroupAdmin(HouseAdmin[Group], GroupAdmin):  # type: ignore[misc]
    """Bundles of permissions: whoever can change them can do everything, so they are the administrators' alone."""

    def has_view_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Administrators."""
        return acting(request).is_superuser

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Administrators."""
        return acting(request).is_superuser

    has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Administrators."""
        return acting(request).is_superuser


# The library's own admin shows seeds of codes and addresses of sessions; nobody needs it.
for _model in [model for model in admin.site._registry if model.__module__.startswith("allauth.")]:
    admin.site.unregister(_model)
admin.site.register(User, HouseUserAdmin)
admin.site.register(Role, RoleAdmin)
admin.site.register(AuditEntry, AuditEntryAdmin)
MessageAdmin.kind_name = staticmethod(trail_words.kind)
if admin.site.is_registered(Group):
    admin.site.unregister(Group)
admin.site.register(Group, HouseGroupAdmin)
