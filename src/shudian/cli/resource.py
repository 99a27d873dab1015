"""``shudian resource``: browse plants, units, loads and storage; register and review them."""

from typing import Annotated

import typer

from shudian.cli.commands import Commands
from shudian.cli.common import UserError
from shudian.cli.ledger import Ledger, PublicLedger
from shudian.contracts.resources.messages import (
    Decision,
    Fuel,
    RegisterResource,
    ResourceType,
    ReviewResource,
    TariffClass,
    Voltage,
)

app = Commands(no_args_is_help=True, help="资源：电厂、机组、用电、储能。 Resources: plants, units, loads, storage.")

KW_PER_MW = 1_000
_COLUMNS = (
    ("resource_id", "编号", "no."),
    ("type", "类型", "type"),
    ("name_zh", "名称", "name"),
    ("name_en", "英文名称", "English name"),
    ("fuel", "能源", "fuel"),
    ("river", "流域", "river"),
    ("capacity_kw", "容量 MW", "capacity MW"),
    ("voltage", "电压", "voltage"),
    ("owner_id", "业主", "owner"),
    ("state", "状态", "state"),
)


@app.command("list")
def list_resources(
    ledger: PublicLedger,
    resource_type: Annotated[ResourceType | None, typer.Option("--type", help="类型 type")] = None,
    fuel: Annotated[Fuel | None, typer.Option(help="能源 fuel")] = None,
    river: Annotated[str | None, typer.Option(help="流域 river")] = None,
    owner: Annotated[int | None, typer.Option(help="业主成员编号 owner")] = None,
    min_mw: Annotated[int | None, typer.Option(min=0, help="最小容量 least MW")] = None,
    max_mw: Annotated[int | None, typer.Option(min=0, help="最大容量 most MW")] = None,
    words: Annotated[str | None, typer.Option(help="名称、流域、地点中的文字 part of a name, river or place")] = None,
    sort: Annotated[str, typer.Option(help="id | name | capacity | -capacity | commissioning")] = "-capacity",
) -> None:
    """浏览电力资源（公开）。 Browse power resources."""
    filters = {
        "type": resource_type,
        "fuel": fuel,
        "river": river,
        "owner_id": owner,
        "min_kw": None if min_mw is None else min_mw * KW_PER_MW,
        "max_kw": None if max_mw is None else max_mw * KW_PER_MW,
        "words": words,
        "sort": sort,
    }
    ledger.print_query("resources.browse", _COLUMNS, **filters)


@app.command("show")
def show_resource(ledger: Ledger, resource_id: Annotated[int, typer.Argument(help="资源编号 number")]) -> None:
    """一项资源的全部登记内容。 All that is registered of one resource."""
    with ledger.client() as client:
        rows = [
            row
            for row in client.query("resources.browse", state=None, limit=10_000)
            if row["resource_id"] == resource_id
        ]
        terms = client.query("resources.terms", resource_id=resource_id)
    if not rows:
        raise UserError(f"没有资源 {resource_id}", f"there is no resource {resource_id}")
    facts = {**rows[0], **(terms[0] if terms else {})}
    ledger.print_facts(facts)


@app.command("register")
def register(
    ledger: Ledger,
    resource_type: Annotated[ResourceType, typer.Option("--type", help="类型 type")],
    name_zh: Annotated[str, typer.Option(help="名称 name")],
    name_en: Annotated[str, typer.Option(help="英文名称 English name")],
    capacity_mw: Annotated[int, typer.Option(min=0, help="容量（兆瓦） capacity, MW")],
    voltage: Annotated[Voltage, typer.Option(help="电压等级 voltage")],
    fuel: Annotated[Fuel, typer.Option(help="能源 fuel")] = Fuel.NONE,
    river: Annotated[str, typer.Option(help="流域 river")] = "",
    tariff_class: Annotated[TariffClass, typer.Option(help="用电分类 tariff class of a load")] = TariffClass.NONE,
    demand_mw: Annotated[int, typer.Option(min=0, help="合同需量（兆瓦） contract demand, MW")] = 0,
) -> None:
    """登记一项资源，待交易中心审核。 Register a resource; it waits for review. More fields: shudian message say RegisterResource."""
    message = RegisterResource(
        resource_type=resource_type,
        name_zh=name_zh,
        name_en=name_en,
        capacity_kw=capacity_mw * KW_PER_MW,
        voltage=voltage,
        fuel=fuel,
        river=river,
        tariff_class=tariff_class,
        contract_demand_kw=demand_mw * KW_PER_MW,
    )
    ledger.submit(message)


@app.command("review")
def review(
    ledger: Ledger,
    resource_id: Annotated[int, typer.Argument(help="资源编号 number")],
    decision: Annotated[Decision, typer.Option(help="approve | return | reject")],
    reason: Annotated[str, typer.Option(help="理由 reason")] = "",
) -> None:
    """交易中心审核资源。 The exchange decides on a resource."""
    ledger.submit(ReviewResource(resource_id, decision, reason))
