import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeExecutor, serveExecutor } from '../../src/faults/crash/executor.ts';
import type { CrashOutcome } from '../../src/faults/crash/protocol.ts';

const uid = '8d0b61f4-0c1f-4b1e-9d0e-3a4c5b6d7e8f';
const id = 'c0ffeec0ffee0000c0ffee';
const environment = { CRASH_POD_UID: uid, CRASH_CONTAINER_ID: id, CRASH_NOT_AFTER: '2000' };
const inside = `0::/../../burstable/pod${uid}/${id}`;

let proc: string;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'leaderfall-proc-'));
});
afterEach(() => rmSync(proc, { recursive: true }));

/** A process that is dead and collected. */
function takeAway(pid: number): void {
  rmSync(join(proc, String(pid)), { recursive: true });
}

/** A process as /proc shows it; the command is made to mislead. */
function put(pid: number, cgroup: string, startTime: number, state = 'S', threads = 1): void {
  mkdirSync(join(proc, String(pid)), { recursive: true });
  writeFileSync(join(proc, String(pid), 'cgroup'), `${cgroup}\n`);
  const before = [...Array.from({ length: 16 }, () => '0'), threads, '0'].join(' ');
  writeFileSync(join(proc, String(pid), 'stat'), `${pid} (kafka) S) ${state} ${before} ${startTime} 0\n`);
}

function executor(now = 1_000, onKill: (pid: number) => void = takeAway) {
  const killed: number[] = [];
  const notes: CrashOutcome[] = [];
  const execute = makeExecutor(environment, {
    now: () => now,
    kill: (pid) => {
      killed.push(pid);
      onKill(pid);
    },
    note: (outcome) => notes.push(outcome),
    proc,
  });
  return { execute, killed, notes };
}

describe('the program that sends the SIGKILL', () => {
  it.each([
    ['cgroupfs', inside],
    [
      'systemd',
      `0::/kubepods.slice/kubepods-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-${id}.scope`,
    ],
    ['version 1', `12:pids:/kubepods/burstable/pod${uid}/${id}\n11:cpu:/kubepods/burstable/pod${uid}/${id}`],
  ])('finds the container’s first process by its cgroup (%s)', async (_, cgroup) => {
    put(40, cgroup, 700); // a probe, later
    put(900, cgroup, 500);
    put(901, cgroup, 501); // its child
    const { execute, killed } = executor();
    expect(await execute()).toMatchObject({ outcome: 'killed', at: 1_000, pid: 900 });
    expect(killed).toEqual([900]);
  });

  it('kills nobody of another container of the pod, of another pod, or of the next life', async () => {
    put(10, `0::/burstable/pod${uid}/another`, 1);
    put(11, `0::/burstable/podanother/${id}`, 1);
    put(12, '0::/', 1);
    const { execute, killed, notes } = executor();
    expect(await execute()).toEqual({ outcome: 'gone', at: 1_000 });
    expect(killed).toEqual([]);
    expect(notes).toEqual([{ outcome: 'gone', at: 1_000 }]);
  });

  it('kills nobody after its last moment', async () => {
    put(900, inside, 500);
    const { execute, killed } = executor(2_001);
    expect(await execute()).toEqual({ outcome: 'late', at: 2_001 });
    expect(killed).toEqual([]);
  });

  it('kills nobody who took over the number in the last moment', async () => {
    put(900, inside, 500);
    const killed: number[] = [];
    const execute = makeExecutor(environment, {
      now: () => 1_000,
      kill: (pid) => killed.push(pid),
      note: ({ outcome }) => outcome === 'killing' && put(900, inside, 999),
      proc,
    });
    expect(await execute()).toMatchObject({ outcome: 'gone' });
    expect(killed).toEqual([]);
  });

  it('kills once, however often it is asked, and writes down what it does before and after', async () => {
    put(900, inside, 500);
    const { execute, killed, notes } = executor();
    const [first, second] = [execute(), execute()];
    expect(await first).toEqual(await second);
    expect(killed).toEqual([900]);
    expect(notes.map(({ outcome }) => outcome)).toEqual(['killing', 'killed', 'killed']);
  });

  it.each([
    ['is a zombie', () => put(900, inside, 500, 'Z')],
    ['is gone', () => takeAway(900)],
    ['is gone, its number somebody else’s', () => put(900, '0::/', 501)],
  ])('waits until the process %s, and tells when that was', async (_, end) => {
    put(900, inside, 500);
    const { execute, notes } = executor(1_000, () => setTimeout(end, 20));
    const outcome = await execute();
    expect(outcome).toEqual({ outcome: 'killed', at: 1_000, pid: 900, endedAfterMs: expect.any(Number) });
    expect(notes).toEqual([
      { outcome: 'killing', at: 1_000, pid: 900 },
      { outcome: 'killed', at: 1_000, pid: 900 },
      outcome,
    ]);
  });

  it('kills nobody who is dead already, whoever is still to collect it', async () => {
    put(900, inside, 500, 'Z');
    const { execute, killed } = executor();
    expect(await execute()).toEqual({ outcome: 'gone', at: 1_000 });
    expect(killed).toEqual([]);
  });

  it('does not say so of a process that would not die, with threads that outlive its first', async () => {
    put(900, inside, 500);
    const { execute } = executor(1_000, () => put(900, inside, 500, 'Z', 40));
    expect(await execute()).toEqual({ outcome: 'killed', at: 1_000, pid: 900 });
  });

  it('stays until the death is written down where whoever asked is gone, and ends then', async () => {
    put(900, inside, 500);
    const asked = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const { execute, notes } = executor(1_000, () => asked.resolve());
    const server = serveExecutor(environment, execute, ended.resolve).listen(0);
    const { port } = server.address() as AddressInfo;
    const left = new AbortController();
    const answer = fetch(`http://127.0.0.1:${port}/kill?container=${id}`, {
      method: 'POST',
      signal: left.signal,
    });
    const refused = expect(answer).rejects.toThrow('abort');
    await asked.promise;
    left.abort();
    // Whoever comes next is not to take it for one that waits to be asked.
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(409);
    await refused;
    put(900, inside, 500, 'Z');
    await ended.promise;
    expect(notes.at(-1)).toHaveProperty('endedAfterMs');
    server.close();
  });

  it('ends a real process, asked by HTTP by somebody who can name the container, and by nobody else', async () => {
    const child: ChildProcess = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    put(child.pid ?? 0, inside, 1);
    const ended = Promise.withResolvers<void>();
    const surroundings = { now: () => 1_000, note: () => {}, proc };
    const execute = makeExecutor(environment, {
      ...surroundings,
      kill: (pid) => {
        process.kill(pid, 'SIGKILL');
        takeAway(pid);
      },
    });
    const server = serveExecutor(environment, execute, ended.resolve).listen(0);
    const { port } = server.address() as AddressInfo;
    const ask = (method: string, path: string) => fetch(`http://127.0.0.1:${port}${path}`, { method });
    const exit = once(child, 'exit');
    expect((await ask('GET', '/healthz')).status).toBe(200);
    expect((await ask('GET', `/kill?container=${id}`)).status).toBe(404);
    expect((await ask('POST', '/kill')).status).toBe(403);
    expect((await ask('POST', '/kill?container=other')).status).toBe(403);
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
    const answer = await ask('POST', `/kill?container=${id}`);
    expect(await answer.json()).toMatchObject({ outcome: 'killed', pid: child.pid });
    expect(await exit).toEqual([null, 'SIGKILL']);
    await ended.promise;
    server.close();
  });
});
