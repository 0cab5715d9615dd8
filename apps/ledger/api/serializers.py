"""Shapes of the ledger's answers, for the OpenAPI document."""

from typing import Any

from rest_framework import serializers

from apps.ledger.accounts import AccountKind

_KINDS = [kind.value for kind in AccountKind]


class AccountAnswer(serializers.Serializer[Any]):
    """An account in one currency."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(_KINDS)
    currency = serializers.CharField()
    debit_minor = serializers.IntegerField()
    credit_minor = serializers.IntegerField()
    balance_minor = serializers.IntegerField(help_text="Debits less credits")


class PostingAccount(serializers.Serializer[Any]):
    """Which account a leg moves."""

    code = serializers.CharField()
    name = serializers.CharField()


class PostingAnswer(serializers.Serializer[Any]):
    """One leg of an entry."""

    account = PostingAccount()
    amount_minor = serializers.IntegerField(help_text="Debit positive, credit negative")
    currency = serializers.CharField()


class EntrySource(serializers.Serializer[Any]):
    """The object that the entry was posted for."""

    type = serializers.CharField()
    id = serializers.UUIDField()


class EntryAnswer(serializers.Serializer[Any]):
    """An entry with its legs."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    kind = serializers.CharField()
    occurred_on = serializers.DateField()
    description = serializers.CharField()
    # Any: DRF's own classes have an attribute of this name, which its metaclass clears away.
    source: Any = EntrySource()
    reverses_id = serializers.UUIDField(allow_null=True)
    reversed_by_id = serializers.UUIDField(allow_null=True)
    postings = PostingAnswer(many=True)
    created_at = serializers.DateTimeField()


class TrialBalanceRow(serializers.Serializer[Any]):
    """An account's balance on its side."""

    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(_KINDS)
    debit_minor = serializers.IntegerField()
    credit_minor = serializers.IntegerField()


class TrialBalanceAnswer(serializers.Serializer[Any]):
    """One currency's trial balance."""

    currency = serializers.CharField()
    accounts = TrialBalanceRow(many=True)
    debit_minor = serializers.IntegerField()
    credit_minor = serializers.IntegerField()
    is_balanced = serializers.BooleanField()


class TrialBalanceList(serializers.Serializer[Any]):
    """The trial balance of every currency in use."""

    as_of = serializers.DateField(allow_null=True)
    # Any: DRF's own classes have an attribute of this name, which its metaclass clears away.
    data: Any = TrialBalanceAnswer(many=True)
