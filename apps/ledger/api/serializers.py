"""Shapes of the ledger's answers, for the OpenAPI document."""

from rest_framework import serializers

from apps.ledger.accounts import AccountKind

_KINDS = [kind.value for kind in AccountKind]


class AccountAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """An account in one currency."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(_KINDS)
    currency = serializers.CharField()
    debit_minor = serializers.IntegerField()
    credit_minor = serializers.IntegerField()
    balance_minor = serializers.IntegerField(help_text="Debits less credits")


class AccountList(serializers.Serializer):  # type: ignore[type-arg]
    """All accounts; never paged."""

    data = AccountAnswer(many=True)  # type: ignore[assignment]
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class PostingAccount(serializers.Serializer):  # type: ignore[type-arg]
    """Which account a leg moves."""

    code = serializers.CharField()
    name = serializers.CharField()


class PostingAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """One leg of an entry."""

    account = PostingAccount()
    amount_minor = serializers.IntegerField(help_text="Debit positive, credit negative")
    currency = serializers.CharField()


class EntrySource(serializers.Serializer):  # type: ignore[type-arg]
    """The object that the entry was posted for."""

    type = serializers.CharField()
    id = serializers.UUIDField()


class EntryAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """An entry with its legs."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    kind = serializers.CharField()
    occurred_on = serializers.DateField()
    description = serializers.CharField()
    source = EntrySource()  # type: ignore[assignment]
    reverses_id = serializers.UUIDField(allow_null=True)
    reversed_by_id = serializers.UUIDField(allow_null=True)
    postings = PostingAnswer(many=True)
    created_at = serializers.DateTimeField()


class EntryPage(serializers.Serializer):  # type: ignore[type-arg]
    """A page of entries."""

    data = EntryAnswer(many=True)  # type: ignore[assignment]
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class TrialBalanceRow(serializers.Serializer):  # type: ignore[type-arg]
    """An account's balance on its side."""

    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(_KINDS)
    debit_minor = serializers.IntegerField()
    credit_minor = serializers.IntegerField()


class TrialBalanceAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """One currency's trial balance."""

    currency = serializers.CharField()
    accounts = TrialBalanceRow(many=True)
    debit_minor = serializers.IntegerField()
    credit_minor = serializers.IntegerField()
    is_balanced = serializers.BooleanField()


class TrialBalanceList(serializers.Serializer):  # type: ignore[type-arg]
    """The trial balance of every currency in use."""

    as_of = serializers.DateField(allow_null=True)
    data = TrialBalanceAnswer(many=True)  # type: ignore[assignment]
