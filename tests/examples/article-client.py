"""A client of the article that shares no code with the server: prints each message it gets and answers it."""
import asyncio
import json
import sys

import websockets


async def main(url: str, count: int) -> None:
    async with websockets.connect(url) as socket:
        print("open", flush=True)
        for _ in range(count):
            message = json.loads(await socket.recv())
            print(json.dumps(message), flush=True)
            answer = {
                "friend": message["friend"],
                "from": message["to"],
                "to": message["from"],
                "content": "嗯嗯,收到了: " + message["content"],
                "type": "text",
            }
            await socket.send(json.dumps(answer))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
