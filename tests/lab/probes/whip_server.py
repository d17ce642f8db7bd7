"""A WHIP endpoint (RFC 9725) over aiortc (PyPI): takes streams under one bearer token.

python whip_server.py ADDRESS PORT TOKEN   (cert.pem and key.pem in this directory)

Says on standard output what it does: `offered`, `pictures`, `ended`, `left open`.
"""

import asyncio
import ssl
import sys

from aiohttp import web
from aiortc import RTCPeerConnection, RTCSessionDescription

address, port, token = sys.argv[1], int(sys.argv[2]), sys.argv[3]
sessions = {}


def say(words):
    print(words, flush=True)


async def watch(track):
    """Counts what can be decoded."""
    seen = 0
    try:
        while True:
            await track.recv()
            seen += 1
            if track.kind == "video" and seen == 10:
                say("pictures")
    except Exception:
        pass


async def offer(request):
    if request.headers.get("Authorization") != f"Bearer {token}":
        return web.Response(status=401, text=f"no such key: {request.headers.get('Authorization')}")
    if request.content_type != "application/sdp":
        return web.Response(status=415)
    say("offered")
    connection = RTCPeerConnection()
    connection.on("track", lambda track: asyncio.ensure_future(watch(track)))
    await connection.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
    await connection.setLocalDescription(await connection.createAnswer())
    name = f"s{len(sessions)}"
    sessions[name] = connection
    return web.Response(
        status=201,
        content_type="application/sdp",
        text=connection.localDescription.sdp,
        headers={"Location": f"/session/{name}", "ETag": '"1"'},
    )


async def end(request):
    if request.headers.get("Authorization") != f"Bearer {token}":
        return web.Response(status=401)
    connection = sessions.pop(request.match_info["name"], None)
    if connection is None:
        return web.Response(status=404)
    await connection.close()
    say("ended" if not sessions else f"left open: {len(sessions)}")
    return web.Response()


async def takes(request):
    return web.Response(status=204, headers={"Accept-Post": "application/sdp"})


async def moved(request):
    return web.Response(status=307, headers={"Location": "/whip"})


async def away(request):
    return web.Response(status=307, headers={"Location": "https://media.example.net/whip"})


async def page(request):
    return web.Response(content_type="text/html", text="<title>Welcome</title>")


async def serve():
    app = web.Application()
    app.router.add_route("OPTIONS", "/whip", takes)
    app.router.add_post("/whip", offer)
    app.router.add_delete("/session/{name}", end)
    app.router.add_post("/moved", moved)
    app.router.add_post("/away", away)
    app.router.add_post("/page", page)
    runner = web.AppRunner(app)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("cert.pem", "key.pem")
    await web.TCPSite(runner, address, port, ssl_context=context).start()
    say("ready")
    await asyncio.Event().wait()


asyncio.run(serve())
