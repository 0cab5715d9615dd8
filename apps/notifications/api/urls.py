"""REST routes of the notifications app."""

from django.urls import path

from apps.notifications.api.views import NotificationDetail, NotificationList, UnreadCount

urlpatterns = [
    path("notifications", NotificationList.as_view(), name="notification-list"),
    path("notifications/unread-count", UnreadCount.as_view(), name="notification-unread-count"),
    path("notifications/<uuid:notification_id>", NotificationDetail.as_view(), name="notification-detail"),
]
