"""Session strings and files written by Telethon 1.45.0 and kurigram 2.2.26 themselves, from fixed values."""
import asyncio, base64, json, os, struct, sqlite3, datetime, pathlib
from telethon.sessions import StringSession, SQLiteSession
from telethon.crypto import AuthKey
from telethon.tl import types
from pyrogram.storage import SQLiteStorage
from pyrogram.storage.storage import Storage, UpdateState
out = pathlib.Path(__file__).parent
KEYS = {"key-count": bytes(range(256)),
        "key-zeros": bytes([0, 0, 0, 1, 0, 2]) + bytes(100) + bytes([3]) * 50 + bytes([255]) * 50 + bytes(50)}
V = []
def add(name, lib, text, **what): V.append({"name": name, "library": lib, "text": text, **what})
T = "Telethon 1.45.0"; K = "kurigram 2.2.26"
for kn, key in KEYS.items():
    for dc, ip, port in ((2, "149.154.167.51", 443), (4, "2001:67c:4e8:f004::a", 443), (2, "127.0.0.1", 65535), (5, "::1", 80)):
        s = StringSession(); s.set_dc(dc, ip, port); s.auth_key = AuthKey(key)
        add(f"telethon string {'v6' if ':' in ip else 'v4'} {kn} {ip}", T, s.save(), format="telethon", dc=dc, address=ip, port=port, key=kn)
async def main():
    for kn, key in KEYS.items():
        for dc, test, uid, bot, api in ((2, False, 777000123456, False, 12345), (1, True, 5000000001, True, 0), (4, False, 2**62, False, 2**32 - 1)):
            st = SQLiteStorage("x", pathlib.Path("."), in_memory=True)
            await st.open()
            await st.dc_id(dc); await st.api_id(api); await st.test_mode(test); await st.auth_key(key); await st.user_id(uid); await st.is_bot(bot)
            t = await st.export_session_string()
            add(f"kurigram string {kn} dc{dc}", K, t, format="pyrogram", dc=dc, test=test, api_id=api, user_id=uid, bot=bot, key=kn)
            # Old lengths: kurigram only reads them; they are packed with its own format constants and read back by it.
            for fmt, n in ((Storage.OLD_SESSION_STRING_FORMAT, 351), (Storage.OLD_SESSION_STRING_FORMAT_64, 356)):
                u = uid if n == 356 else uid % 2**32
                old = base64.urlsafe_b64encode(struct.pack(fmt, dc, test, key, u, bot)).decode().rstrip("=")
                assert len(old) == n, len(old)
                rd = SQLiteStorage("x", pathlib.Path("."), session_string=old, in_memory=True)
                await rd.open()
                assert (await rd.dc_id(), await rd.test_mode(), await rd.auth_key(), await rd.user_id(), await rd.is_bot()) == (dc, test, key, u, bot)
                add(f"pyrogram old string of {n} {kn} dc{dc}", K + " (packed with its format constant, read back by it)", old, format="pyrogram", dc=dc, test=bool(test), user_id=u, bot=bot, key=kn)
    key = KEYS["key-count"]
    # Telethon's file (version 8), with entities and an update state
    p = out / "telethon-v8.session"
    p.unlink(missing_ok=True)
    s = SQLiteSession(str(p)); s.set_dc(2, "149.154.167.51", 443); s.auth_key = AuthKey(key)
    s.set_update_state(0, types.updates.State(5, 6, datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc), 7, 0))
    s.process_entities([types.User(id=777000123456, is_self=True, access_hash=-5, first_name="Ann", username="ann", phone="15550100")])
    s.save(); s.close()
    # Its older versions: the same file taken back to what versions 7, 6 and 4 had; Telethon itself then upgrades and reads it.
    for v in (7, 6, 4):
        q = out / f"telethon-v{v}.session"; q.unlink(missing_ok=True); q.write_bytes(p.read_bytes())
        c = sqlite3.connect(q)
        c.execute("alter table sessions drop column tmp_auth_key")
        if v < 7: c.execute("alter table entities drop column date")
        if v < 5: c.execute("alter table sessions drop column takeout_id")
        c.execute("update version set version = ?", (v,)); c.commit(); c.execute("vacuum"); c.close()
        r = out / "check.session"; r.write_bytes(q.read_bytes())
        t = SQLiteSession(str(r)); assert t.auth_key.key == key and t.dc_id == 2; t.close(); r.unlink()
    # kurigram's file (version 7)
    p = out / "kurigram-v7.session"; p.unlink(missing_ok=True)
    st = SQLiteStorage("kurigram-v7", out); await st.open()
    await st.dc_id(2); await st.server_address("149.154.167.51"); await st.port(443); await st.api_id(12345); await st.test_mode(False); await st.auth_key(key); await st.user_id(777000123456); await st.is_bot(False); await st.date(1767312000)
    await st.update_peers([(777000123456, -5, "user", "15550100")])
    await st.update_usernames([(777000123456, ["ann"])])
    await st.set_update_state(UpdateState(0, 5, 6, 1767312000, 7))
    st.conn.commit(); await st.close()
    # pyrogram 2.0's version 3 and kurigram's 6, taken back by hand and read by kurigram
    for v in (6, 3, 2):
        q = out / f"pyrogram-v{v}.session"; q.unlink(missing_ok=True); q.write_bytes(p.read_bytes())
        c = sqlite3.connect(q)
        c.execute("alter table sessions drop column server_address"); c.execute("alter table sessions drop column port")
        if v < 6:
            c.execute("drop index idx_usernames_id"); c.execute("drop table update_state"); c.execute("drop table usernames")
            c.execute("create index idx_peers_username on peers (id)") if False else None
            c.execute("alter table peers add column username text")
        if v < 3: c.execute("alter table sessions drop column api_id")
        c.execute("update version set number = ?", (v,)); c.commit(); c.execute("vacuum"); c.close()
        (out / "check.session").write_bytes(q.read_bytes())
        st = SQLiteStorage("check", out); await st.open(); assert await st.auth_key() == key and await st.dc_id() == 2 and await st.user_id() == 777000123456; await st.close(); (out / "check.session").unlink()
asyncio.run(main())
json.dump({"keys": {k: v.hex() for k, v in KEYS.items()}, "vectors": V}, open(out / "python.json", "w"), indent=1)
