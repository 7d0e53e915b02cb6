"""People who sign in, their roles, and the audit trail.

Nobody but an administrator (superuser) hands out powers: is_superuser, groups, permissions, the door to the admin, the
administrator's role. And nobody may change, or set the password of, somebody who may do more than they do themselves.
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actors import Actor
from accounts.models import AuditEntry, Role, RoleKind, User
from alliance.admin import (
    HouseAdmin,
    HouseForm,
    HouseTabular,
    ReadOnlyAdmin,
    ShowsRefusal,
    as_json,
    clock_time,
    explain,
    refuse,
)

explain("user_email_is_unique", gettext_lazy("A user with this e-mail address exists already."), field="email")
explain("role_held_once", gettext_lazy("This role is held already."))

POWERS = ("is_superuser", "is_staff", "groups", "user_permissions")


def acting(request: HttpRequest) -> User:
    """The signed-in user; admin pages have one."""
    return cast("User", request.user)


def actor(request: HttpRequest) -> Actor:
    """Who acts, for services."""
    return Actor.organiser(acting(request))


def stands_above(other: User, user: User) -> bool:
    """Whether somebody may do things that the user may not: then the user must not get at their account.

    An account that is switched off counts with what it could do when it is switched on again.
    """
    if user.is_superuser:
        return False
    if other.is_superuser or other.roles.filter(kind=RoleKind.ADMINISTRATOR).exists():
        return True
    held = Permission.objects.filter(Q(user=other) | Q(group__user=other)).values_list(
        "content_type__app_label", "codename"
    )
    return not {f"{app}.{codename}" for app, codename in held} <= user.get_all_permissions()


class RoleForm(HouseForm[Role]):
    """Only administrators make administrators, and nobody gives themselves a role."""

    acting_user: ClassVar[User | None] = None

    def clean(self) -> dict[str, Any] | None:
        """Refuse powers that are not the user's to give."""
        cleaned = super().clean()
        user = self.acting_user
        if user is not None and not user.is_superuser and self.has_changed():
            receiver = self.cleaned_data.get("user") or getattr(self.instance, "user", None)
            kinds = {self.cleaned_data.get("kind"), self.initial.get("kind")}
            if RoleKind.ADMINISTRATOR in kinds or (receiver is not None and receiver.pk == user.pk):
                self.add_error(None, _("Only an administrator may give this role."))
        return cleaned


class RoleInline(HouseTabular[Role, User]):
    """What somebody is where. Their permissions stand above, in the user's own form."""

    model = Role
    verbose_name_plural = gettext_lazy("roles (recorded only; permissions decide for now)")
    form = RoleForm
    fields = ["kind", "conference"]
    autocomplete_fields = ["conference"]
    load = ("conference",)
    ordering = ["pk"]

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Forms that know who acts."""
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.acting_user = acting(request)
        return formset


class NewUserForm(ShowsRefusal, AdminUserCreationForm):  # type: ignore[type-arg]
    """A new user signs in by e-mail; the address is kept in lower case."""

    class Meta:
        model = User
        fields = ("email", "name", "language")

    def clean_email(self) -> str:
        """One person, one spelling."""
        return str(self.cleaned_data["email"]).lower()


class ChangedUserForm(ShowsRefusal, UserChangeForm):  # type: ignore[type-arg]
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
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = ["groups", "user_permissions"]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
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
        return allowed and not (obj is not None and stands_above(obj, acting(request)))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody deletes those above them, and the list has no action that would ask for nobody in particular."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj is not None and stands_above(obj, acting(request)))

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

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Log who tries to take over an account above their own."""
        user = self.get_object(request, id)
        if user is not None and stands_above(user, acting(request)):
            refuse(request, "user_password")
        return super().user_change_password(request, id, form_url)


class RoleAdmin(HouseAdmin[Role]):
    """Who is what where; what that allows is for their permissions to say."""

    form = RoleForm
    list_display = ["user", "kind", "conference", "granted_at"]
    list_filter = ["kind", "conference"]
    list_select_related = ["user", "conference"]
    ordering = ["user__email", "pk"]
    search_fields = ["user__email", "user__name"]
    autocomplete_fields = ["user", "conference"]
    fields = ["user", "kind", "conference"]

    def get_form(self, request: HttpRequest, obj: Role | None = None, change: bool = False, **kwargs: Any) -> Any:
        """A form that knows who acts."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.acting_user = acting(request)
        return form


class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    """What was done, when and by whom. Nobody changes it."""

    list_display = ["at_utc", "action", "actor_kind", "actor_user", "about_kind", "about_id"]
    list_filter = ["action", "actor_kind", "about_kind"]
    list_select_related = ["actor_user"]
    ordering = ["-at", "-pk"]
    search_fields = ["action"]
    search_by_id = ("about_id",)
    search_help_text = gettext_lazy("An action, or a whole public id.")
    fields = ["at_utc", "action", "actor_kind", "actor_user", "about_kind", "about_id", "shown_details"]

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        """Nobody."""
        return False

    @staticmethod
    def label_of(entry: AuditEntry) -> str:
        """What was done."""
        return entry.action

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


admin.site.register(User, HouseUserAdmin)
admin.site.register(Role, RoleAdmin)
admin.site.register(AuditEntry, AuditEntryAdmin)
if admin.site.is_registered(Group):
    admin.site.unregister(Group)
admin.site.register(Group, HouseGroupAdmin)
