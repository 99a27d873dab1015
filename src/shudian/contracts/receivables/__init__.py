"""Receivables 应收账款凭证: born from settled bills and confirmed invoices, split, transferred, financed in competition, redeemed at maturity."""
