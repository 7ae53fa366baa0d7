// Does node-redis do its work with hashes?   node_redis.mjs PORT
//
// From connect to close, in both protocols; commands that are sent together go as one pipeline.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

// From where it is run: the scripts lie elsewhere than what is installed.
const require = createRequire(`${process.cwd()}/`);
const { createClient, RESP_TYPES } = require('redis');
const { version } = require('redis/package.json');
const port = Number(process.argv[2]);

async function work(RESP) {
  const client = createClient({ socket: { port, host: '127.0.0.1' }, RESP, name: `node-${RESP}` });
  client.on('error', (error) => { throw error; });
  await client.connect();
  assert.equal(await client.ping(), 'PONG');
  await client.flushAll();

  assert.equal(await client.hSet('user:1', { name: 'Ada', visits: 41, city: 'London' }), 3);
  assert.deepEqual({ ...await client.hGetAll('user:1') }, { name: 'Ada', visits: '41', city: 'London' });
  assert.equal(await client.hIncrBy('user:1', 'visits', 1), 42);
  assert.equal(Number(await client.hIncrByFloat('user:1', 'score', 1.5)), 1.5);
  assert.deepEqual(await client.hmGet('user:1', ['name', 'none']), ['Ada', null]);
  assert.equal(await client.hDel('user:1', ['city', 'none']), 1);
  assert.equal(await client.hLen('user:1'), 3);
  assert.equal(await client.hGet('none', 'f'), null);
  assert.equal((await client.hRandFieldCountWithValues('user:1', 3)).length, 3);

  assert.deepEqual(await client.hExpire('user:1', ['visits', 'none'], 100), [1, -2]);
  const [left, ...others] = await client.hTTL('user:1', ['visits', 'name', 'none']);
  assert.ok(left >= 98 && left <= 100);
  assert.deepEqual(others, [-1, -2]);
  assert.deepEqual(await client.hPersist('user:1', ['visits']), [1]);

  const wide = Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`field:${n}`, String(n)]));
  await client.hSet('wide', wide);
  const seen = {};
  for await (const entries of client.hScanIterator('wide', { COUNT: 100 })) {
    for (const { field, value } of entries) seen[field] = value;
  }
  assert.deepEqual(seen, wide);

  const numbers = Array.from({ length: 1000 }, (_, n) => n);
  await Promise.all(numbers.map((n) => client.hSet(`many:${n}`, { n, square: n * n })));
  const squares = await Promise.all(numbers.map((n) => client.hGet(`many:${n}`, 'square')));
  assert.deepEqual(squares, numbers.map((n) => String(n * n)));
  const keys = new Set();
  for await (const found of client.scanIterator({ MATCH: 'many:*', COUNT: 50 })) found.forEach((key) => keys.add(key));
  assert.equal(keys.size, 1000);

  await client.set('s', 'v', { expiration: { type: 'EX', value: 100 } });
  assert.deepEqual(await client.mGet(['s', 'none']), ['v', null]);
  await assert.rejects(client.hGet('s', 'f'), /WRONGTYPE/);
  await assert.rejects(client.hIncrBy('user:1', 'name', 1), /hash value is not an integer/);
  await assert.rejects(client.sendCommand(['NOSUCH', 'a']), /unknown command/);
  assert.equal(await client.ttl('s') > 98, true);

  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const odd = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const big = Buffer.alloc(16 << 20, '\r\n\0x');
  assert.equal(await client.hSet('binary', [[odd, odd], ['big', big]]), 2);
  assert.deepEqual(await bytes.hGet('binary', odd), odd);
  assert.ok(big.equals(await bytes.hGet('binary', 'big')));

  assert.equal(await client.clientGetName(), `node-${RESP}`);
  const own = await client.clientInfo();
  assert.equal(own.resp, RESP);
  assert.match(own.libName, /^node-redis/);
  assert.match(await client.info('server'), /redis_mode:standalone/);
  assert.equal((await client.configGet('hash-max-listpack-entries'))['hash-max-listpack-entries'], '512');
  assert.equal(await client.type('wide'), 'hash');
  assert.ok(await client.dbSize() > 1000);
  const other = client.duplicate();
  await other.connect();
  await other.select(3);
  assert.equal(await other.dbSize(), 0);
  other.destroy();
  await client.close();
}

for (const protocol of [2, 3]) await work(protocol);
console.log(`node-redis ${version}: well, in RESP2 and RESP3`);
