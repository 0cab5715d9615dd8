"""Shapes that every app's answers share, for the OpenAPI document."""

from typing import Any, cast

from rest_framework import serializers


def page_of(row: type[serializers.Serializer[Any]], told: str) -> type[serializers.Serializer[Any]]:
    """The shape of `Page.body`: ``ThingPage`` of ``ThingAnswer``. `told` describes it in the OpenAPI document."""
    of = row.__name__.removesuffix("Answer").removesuffix("Serializer").removesuffix("Listed")
    fields = {
        "data": row(many=True),
        "next_cursor": serializers.CharField(allow_null=True, help_text="Send it as `cursor` for the next page."),
        "has_more": serializers.BooleanField(),
    }
    made = serializers.SerializerMetaclass(f"{of}Page", (serializers.Serializer,), {"__doc__": told, **fields})
    return cast(type[serializers.Serializer[Any]], made)
