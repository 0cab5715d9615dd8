"""Routes of SCIM, below ``/scim/v2/`` on a tenant's host."""

from django.urls import path, re_path

from apps.iam.scim import views

app_name = "scim"

urlpatterns = [
    path("ServiceProviderConfig", views.config, name="config"),
    path("ResourceTypes", views.resource_types, name="resource-types"),
    path("ResourceTypes/<str:name>", views.resource_types, name="resource-type"),
    path("Schemas", views.schemas, name="schemas"),
    path("Schemas/<str:name>", views.schemas, name="schema"),
    path("Users", views.user_list, name="users"),
    path("Users/.search", views.user_search, name="user-search"),
    path("Users/<str:user_id>", views.user, name="user"),
    path("Groups", views.group_list, name="groups"),
    path("Groups/.search", views.group_search, name="group-search"),
    path("Groups/<str:group_id>", views.group, name="group"),
    re_path(r"^(?P<rest>.*)$", views.unknown, name="unknown"),
]
