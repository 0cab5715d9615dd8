"""Page routes of the notifications app, below ``/notifications/``."""

from django.urls import path

from apps.notifications import views

app_name = "notifications"

urlpatterns = [
    path("", views.notification_list, name="list"),
    path("bell/", views.bell, name="bell"),
    path("read-all/", views.read_all, name="read-all"),
    path("<uuid:notification_id>/open/", views.open_notification, name="open"),
    path("<uuid:notification_id>/delete/", views.delete, name="delete"),
    path("e-mails/<slug:related_type>/<uuid:related_id>/", views.deliveries, name="deliveries"),
]
