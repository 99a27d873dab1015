"""The sandbox world 沙盘: real Sichuan plants, load shapes and costs, and a seeded model of one market month.

Nothing here touches a ledger. :func:`shudian.sandbox.world.build_world` makes the whole month; ``forecast``, ``bidding``,
``metering`` and ``finances`` tell what each member knows, offers, reports and pays in. All outputs are integers and the
same on every machine for one seed.
"""
