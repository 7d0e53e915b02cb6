"""Django's admin classes that take a type argument, at run time as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django import forms
from django.contrib import admin
from django.db import models

M = TypeVar("M", bound=models.Model)
P = TypeVar("P", bound=models.Model)

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
    StackedInline = admin.StackedInline
    ModelForm = forms.ModelForm
else:  # Django's classes take no type argument at run time

    class _Subscriptable:
        def __class_getitem__(cls, item):
            return cls

    class ModelAdmin(_Subscriptable, admin.ModelAdmin):
        pass

    class TabularInline(_Subscriptable, admin.TabularInline):
        pass

    class StackedInline(_Subscriptable, admin.StackedInline):
        pass

    class ModelForm(_Subscriptable, forms.ModelForm):
        pass
