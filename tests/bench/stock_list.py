"""The list of invoices as DRF's manual has it: a viewset, a serializer, a permission."""

from typing import Any, ClassVar

from rest_framework import permissions, serializers, viewsets
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from apps.core.clock import today_in
from apps.iam.models import Membership
from apps.invoices import states
from apps.invoices.models import Client, Invoice


class IsMember(permissions.BasePermission):
    """The token's user belongs to the host's tenant."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether he is an active member."""
        tenant: Any = request.tenant  # type: ignore[attr-defined]
        return Membership.objects.filter(user=request.user, tenant=tenant, status="ACTIVE").exists()


class ClientSerializer(serializers.ModelSerializer):
    """The client of an invoice."""

    class Meta:
        model = Client
        fields: ClassVar = ["id", "name"]


class InvoiceSerializer(serializers.ModelSerializer):
    """An invoice in the list, with the fields that the product's list has."""

    client = ClientSerializer()
    status = serializers.SerializerMethodField()
    is_overdue = serializers.SerializerMethodField()
    is_partially_paid = serializers.SerializerMethodField()
    amount_paid_minor = serializers.IntegerField(source="paid_minor")
    amount_due_minor = serializers.IntegerField(source="due_minor")
    surplus_minor = serializers.IntegerField()
    hosted_url = serializers.SerializerMethodField()
    pdf_url = serializers.SerializerMethodField()
    allowed_actions = serializers.SerializerMethodField()

    class Meta:
        model = Invoice
        fields: ClassVar = [
            *("id", "number", "version", "is_overdue", "is_partially_paid", "sent_at", "viewed_at", "finalized_at"),
            *("paid_at", "voided_at", "uncollectible_at", "brand_id", "currency", "issue_date", "due_date"),
            *("subtotal_minor", "discount_minor", "tax_minor", "total_minor", "amount_paid_minor", "amount_due_minor"),
            *("surplus_minor", "hosted_url", "pdf_url", "created_at", "updated_at", "status", "client"),
            "allowed_actions",
        ]

    def get_status(self, invoice: Invoice) -> str:
        """In lower case."""
        return invoice.status.lower()

    def get_is_overdue(self, invoice: Invoice) -> bool:
        """Open and past its day."""
        tenant = self.context["request"].tenant
        return invoice.status == "OPEN" and invoice.due_date < today_in(tenant.time_zone)

    def get_is_partially_paid(self, invoice: Invoice) -> bool:
        """Open with something paid."""
        return invoice.status == "OPEN" and invoice.paid_minor > 0

    def get_hosted_url(self, invoice: Invoice) -> str | None:
        """Where the customer sees it."""
        host = self.context["request"].get_host()
        return f"http://{host}/i/{invoice.link_token}/" if invoice.link_token else None

    def get_pdf_url(self, invoice: Invoice) -> str | None:
        """Its document."""
        host = self.context["request"].get_host()
        return f"http://{host}/api/v1/invoices/{invoice.id}/pdf" if invoice.link_token else None

    def get_allowed_actions(self, invoice: Invoice) -> list[str]:
        """What may be done with it."""
        return states.allowed_actions(invoice)


class InvoiceViewSet(viewsets.ReadOnlyModelViewSet):
    """The tenant's invoices."""

    queryset = Invoice.objects.select_related("client")
    serializer_class = InvoiceSerializer
    permission_classes: ClassVar = [permissions.IsAuthenticated, IsMember]
    ordering = "-id"

    def paginate_queryset(self, queryset: Any) -> Any:
        """By id, newest first."""
        if self.paginator is not None:
            self.paginator.ordering = "-id"
        return super().paginate_queryset(queryset)


router = SimpleRouter(trailing_slash=False)
router.register("invoices", InvoiceViewSet)
urlpatterns = router.urls
