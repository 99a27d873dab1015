"""``shudian member``: the register, applying, review, persons, and what the overseers may do."""

import re
import secrets
from pathlib import Path
from typing import Annotated

import typer

from shudian.cli.commands import Commands
from shudian.cli.common import JsonOption, UserError, print_facts, unseen
from shudian.cli.ledger import Ledger, PublicLedger, client_of, need_keys
from shudian.cli.passphrase import NoPassphraseOption, new_passphrase
from shudian.cli.values import EvidenceOption, file_digest, from_hex
from shudian.client.keys import make_key_file, read_public_key
from shudian.contracts.identity.messages import FreezeMember, ResumeMember, SuspendMember, UnfreezeMember
from shudian.contracts.identity.messages_persons import AddPerson, ReplaceAdmin
from shudian.contracts.identity.messages_registration import (
    ApplyMember,
    Decision,
    Declared,
    Document,
    Evidence,
    Particulars,
    ReviewMember,
    all_passed,
)
from shudian.contracts.roles import Kind, Role
from shudian.kernel.crypto import keyed_digest

app = Commands(no_args_is_help=True, help="成员：名册、申请、审核、人员。 Members: register, apply, review, persons.")

FEN_PER_YUAN = 100
_REGISTER_COLUMNS = (
    ("member_id", "编号", "no."),
    ("kind", "类别", "kind"),
    ("name_zh", "名称", "name"),
    ("name_en", "英文名称", "English name"),
    ("uscc", "统一社会信用代码", "credit code"),
    ("standing", "状态", "standing"),
)


@app.command("list")
def list_members(
    ledger: PublicLedger,
    kind: Annotated[Kind | None, typer.Option(help="类别 kind")] = None,
    name: Annotated[str | None, typer.Option(help="名称的一部分 part of the Chinese name")] = None,
    standing: Annotated[str | None, typer.Option(help="状态 standing, e.g. active noticed")] = None,
) -> None:
    """成员名册（公开）。 The public register of members."""
    ledger.print_query("identity.register", _REGISTER_COLUMNS, kind=kind, name=name, standing=standing)


@app.command("show")
def show_member(ledger: Ledger, member_id: Annotated[int, typer.Argument(help="成员编号 number")]) -> None:
    """一个成员：公开登记，加上密钥持有人有权看的档案。 One member: the register, and its file as far as your key may see."""
    with ledger.client() as client:
        rows = client.query("identity.register", member_id=member_id)
        files = client.query("identity.members", member_id=member_id)
    facts = {**(rows[0] if rows else {}), **(files[0] if files else {})}
    if not facts:
        raise unseen("成员", "member", member_id)
    ledger.print_facts(facts)


def salted(salt_file: Path, *words: str) -> bytes:
    """The salted hash of words; the salt is kept beside the key and never leaves this machine."""
    if not salt_file.exists():
        salt_file.parent.mkdir(parents=True, exist_ok=True)
        salt_file.touch(mode=0o600)
        salt_file.write_text(secrets.token_hex(32), encoding="ascii")
    try:
        salt = bytes.fromhex(salt_file.read_text(encoding="ascii").strip())
    except ValueError:
        raise UserError(f"{salt_file} 不是盐文件", f"{salt_file} is not a salt file") from None
    return keyed_digest(salt, "\x00".join(words).encode())


@app.command("apply")
def apply(
    ledger: PublicLedger,
    kind: Annotated[Kind, typer.Option(help="generator | retailer | user | bank")],
    name_zh: Annotated[str, typer.Option(help="名称 registered name")],
    name_en: Annotated[str, typer.Option(help="英文名称 English name")],
    uscc: Annotated[str, typer.Option(help="统一社会信用代码 credit code")],
    person: Annotated[
        str, typer.Option(prompt=True, help="经办人证件号，只留加盐摘要 ID of the person; only a salted hash leaves")
    ],
    key_file: Annotated[Path, typer.Option(help="新密钥写入此文件 the new key is written here")],
    document: Annotated[
        list[str] | None, typer.Option(help="材料 KIND=FILE，可多次 documents, e.g. business_licence=licence.pdf")
    ] = None,
    assets_yuan: Annotated[int, typer.Option(min=0, help="资产总额（元） assets")] = 0,
    annual_mwh: Annotated[int, typer.Option(min=0, help="年售电量（兆瓦时） yearly volume")] = 0,
    staff: Annotated[int, typer.Option(min=0, help="全职人员 staff")] = 0,
    senior: Annotated[int, typer.Option(min=0, help="高级职称 senior engineers")] = 0,
    middle: Annotated[int, typer.Option(min=0, help="中级职称 mid-level engineers")] = 0,
    no_passphrase: NoPassphraseOption = False,
) -> None:
    """提交注册申请，并生成管理员密钥，用新口令封存。 Apply for membership; makes the admin's key, sealed under a new passphrase. Files stay here, only salted hashes go on the ledger."""
    salt_file = key_file.with_suffix(".salt")
    documents = tuple(_document(salt_file, given) for given in document or ())
    declared = Declared(assets_yuan * FEN_PER_YUAN, annual_mwh * 1_000, staff, senior, middle)
    particulars = Particulars(name_zh, name_en, salted(salt_file, "legal_person", uscc), documents, declared)
    message = ApplyMember(kind, uscc, particulars, salted(salt_file, "person", person))
    message.check()
    _make_absent(key_file, no_passphrase=no_passphrase)
    with client_of(ledger.data, [key_file], applicant=True) as client:
        ledger.print_reply(client.submit(message))


def _make_absent(key_file: Path, *, no_passphrase: bool) -> None:
    """Make a key file that is not there yet; one of an earlier try is taken as it is."""
    if not key_file.exists():
        make_key_file(key_file, None if no_passphrase else new_passphrase())


def _document(salt_file: Path, given: str) -> Document:
    kind, separator, name = given.partition("=")
    if not separator or kind not in list(Evidence):
        kinds = " | ".join(Evidence)
        raise UserError(
            f"材料 {given} 应为 KIND=FILE，KIND 为 {kinds}", f"document {given} must be KIND=FILE with KIND {kinds}"
        )
    return Document(Evidence(kind), salted(salt_file, kind, Path(name).read_bytes().hex()))


@app.command("review")
def review(
    ledger: Ledger,
    member_id: Annotated[int, typer.Argument(help="成员编号 number")],
    decision: Annotated[Decision, typer.Option(help="approve | return | reject")],
    reason: Annotated[str, typer.Option(help="理由 reason")] = "",
) -> None:
    """交易中心审核申请或变更。 The exchange decides on an application or a change."""
    checks = all_passed() if decision == Decision.APPROVE else ()
    ledger.submit(ReviewMember(member_id, decision, checks, reason))


@app.command("add-person")
def add_person(
    ledger: Ledger,
    role: Annotated[list[Role], typer.Option(help="岗位，可多次 roles")],
    person: Annotated[str, typer.Option(prompt=True, help="证件号，只留加盐摘要 ID; only a salted hash leaves")],
    key_file: Annotated[Path, typer.Option(help="此人的密钥文件，不存在则生成 the person's key file, made if absent")],
    no_passphrase: NoPassphraseOption = False,
) -> None:
    """管理员登记一名人员及其密钥；新密钥用新口令封存。 An admin adds a person with a key; a new one is sealed under a new passphrase."""
    need_keys(ledger.key)
    _make_absent(key_file, no_passphrase=no_passphrase)
    digest = salted(key_file.with_suffix(".salt"), "person", person)
    ledger.submit(AddPerson(digest, read_public_key(key_file), tuple(role)))


@app.command("new-key")
def new_key(
    key_file: Annotated[Path, typer.Argument(metavar="FILE", help="新密钥写入此文件 the new key is written here")],
    person: Annotated[str, typer.Option(prompt=True, help="证件号，只出加盐摘要 ID; only a salted hash comes out")],
    no_passphrase: NoPassphraseOption = False,
    as_json: JsonOption = False,
) -> None:
    """生成本人的新密钥，给出公钥与证件摘要，供他人登记；密钥不离开本机。 Make a key of your own; gives the public key and the digest of your ID for others to register. The key stays here."""
    public_key = make_key_file(key_file, None if no_passphrase else new_passphrase()).public_key
    digest = salted(key_file.with_suffix(".salt"), "person", person)
    print_facts({"public_key": public_key.hex(), "person_digest": digest.hex()}, as_json=as_json)


@app.command("replace-admin")
def replace_admin(
    ledger: Ledger,
    member_id: Annotated[int, typer.Argument(metavar="MEMBER", help="成员编号 number")],
    person_no: Annotated[
        int, typer.Argument(metavar="PERSON", help="密钥遗失的管理员的人员序号 admin whose key is lost")
    ],
    public_key: Annotated[
        str, typer.Option(help="新管理员的公钥（shudian member new-key） public key of the new admin")
    ],
    person_digest: Annotated[str, typer.Option(help="新管理员的证件摘要 digest of the new admin's ID")],
    evidence: EvidenceOption,
    reason: Annotated[str, typer.Option(help="理由 reason")],
) -> None:
    """成员唯一的管理员遗失密钥：两名审核员核验后更换（--key 给两次），公开登记。 Replace a member's only admin whose key is lost; two reviewers sign (--key twice); shown to all."""
    digest, key = from_hex("--person-digest", person_digest), from_hex("--public-key", public_key)
    ledger.submit(ReplaceAdmin(member_id, person_no, digest, key, file_digest(evidence), reason))


@app.command("replaced-admins")
def replaced_admins(
    ledger: PublicLedger,
    member_id: Annotated[int | None, typer.Option("--member", help="成员编号 number")] = None,
) -> None:
    """因密钥遗失由审核方更换的管理员（公开）。 Admins whom reviewers replaced because a key was lost; public."""
    columns = (
        ("member_id", "成员", "member"),
        ("old_person_no", "原人员", "person before"),
        ("new_person_no", "新人员", "person after"),
        ("decided_by_id", "决定方", "decided by"),
        ("replaced_ms", "更换时间", "replaced at"),
        ("evidence_digest", "材料摘要", "papers"),
    )
    ledger.print_query("identity.replaced_admins", columns, member_id=member_id)


@app.command("persons")
def persons(ledger: Ledger) -> None:
    """本单位的人员与岗位。 Persons and roles of your member."""
    with ledger.client() as client:
        rows = client.query("identity.persons", member_id=client.member_id)
    columns = (
        ("member_id", "成员", "member"),
        ("person_no", "人员", "person"),
        ("roles", "岗位", "roles"),
        ("active", "有效", "active"),
        ("public_key", "公钥", "public key"),
        ("since_ms", "起", "since"),
    )
    ledger.print_rows(rows, columns)


_STANDING = {"suspend": SuspendMember, "resume": ResumeMember, "unfreeze": UnfreezeMember}


def _standing_command(name: str, zh: str, en: str) -> None:
    def command(
        ledger: Ledger,
        member_id: Annotated[int, typer.Argument(help="成员编号 number")],
        reason: Annotated[str, typer.Option(help="理由 reason")],
    ) -> None:
        ledger.submit(_STANDING[name](member_id, reason))

    app.command(name, help=f"{zh} {en}")(command)


_standing_command("suspend", "交易中心暂停成员。", "The exchange suspends a member.")
_standing_command("resume", "交易中心恢复成员。", "The exchange lets a suspended member trade again.")
_standing_command("unfreeze", "监管机构解除冻结。", "The regulator lifts a freeze.")


@app.command("freeze")
def freeze(
    ledger: Ledger,
    member_id: Annotated[int, typer.Argument(help="成员编号 number")],
    reason: Annotated[str, typer.Option(help="理由 reason")],
    review_day: Annotated[str, typer.Option(help="复核日 day of review, e.g. 2026-09-30")],
) -> None:
    """监管机构冻结成员，写明理由与复核日。 The regulator freezes a member, with reason and day of review."""
    ledger.submit(FreezeMember(member_id, reason, parse_day(review_day)))


def parse_day(text: str) -> int:
    """The day (yyyymmdd) of 2026-09-30 or 20260930.

    Raises:
        UserError: for anything else.
    """
    if not re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", text):
        raise UserError(f"日期 {text} 应为 2026-09-30 的形式", f"day {text} should look like 2026-09-30")
    return int(text.replace("-", ""))
