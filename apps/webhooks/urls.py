"""Page routes of the webhooks app, below the settings."""

from django.urls import path

from apps.webhooks import delivery_views, views

app_name = "webhooks"
urlpatterns = [
    path("", views.endpoint_list, name="list"),
    path("new/", views.create, name="new"),
    path("deliveries/", delivery_views.delivery_list, name="deliveries"),
    path("deliveries/<uuid:delivery_id>/", delivery_views.delivery, name="delivery"),
    path("deliveries/<uuid:delivery_id>/replay/", delivery_views.replay, name="replay"),
    path("<uuid:endpoint_id>/", views.endpoint, name="endpoint"),
    path("<uuid:endpoint_id>/edit/", views.edit, name="edit"),
    path("<uuid:endpoint_id>/rotate/", views.rotate, name="rotate"),
    path("<uuid:endpoint_id>/enable/", views.enable, name="enable"),
    path("<uuid:endpoint_id>/disable/", views.disable, name="disable"),
    path("<uuid:endpoint_id>/delete/", views.delete, name="delete"),
    path("<uuid:endpoint_id>/test/", views.test, name="test"),
    path("<uuid:endpoint_id>/replay/", views.replay_since, name="replay-since"),
]
