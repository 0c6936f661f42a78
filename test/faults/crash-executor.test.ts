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

/** A process as /proc shows it; the command is made to mislead. */
function put(pid: number, cgroup: string, startTime: number): void {
  mkdirSync(join(proc, String(pid)), { recursive: true });
  writeFileSync(join(proc, String(pid), 'cgroup'), `${cgroup}\n`);
  const before = Array.from({ length: 18 }, () => '0').join(' ');
  writeFileSync(join(proc, String(pid), 'stat'), `${pid} (kafka) S) S ${before} ${startTime} 0\n`);
}

function executor(now = 1_000) {
  const killed: number[] = [];
  const notes: CrashOutcome[] = [];
  const execute = makeExecutor(environment, {
    now: () => now,
    kill: (pid) => killed.push(pid),
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
  ])('finds the container’s first process by its cgroup (%s)', (_, cgroup) => {
    put(40, cgroup, 700); // a probe, later
    put(900, cgroup, 500);
    put(901, cgroup, 501); // its child
    const { execute, killed } = executor();
    expect(execute()).toEqual({ outcome: 'killed', at: 1_000, pid: 900 });
    expect(killed).toEqual([900]);
  });

  it('kills nobody of another container of the pod, of another pod, or of the next life', () => {
    put(10, `0::/burstable/pod${uid}/another`, 1);
    put(11, `0::/burstable/podanother/${id}`, 1);
    put(12, '0::/', 1);
    const { execute, killed, notes } = executor();
    expect(execute()).toEqual({ outcome: 'gone', at: 1_000 });
    expect(killed).toEqual([]);
    expect(notes).toEqual([{ outcome: 'gone', at: 1_000 }]);
  });

  it('kills nobody after its last moment', () => {
    put(900, inside, 500);
    const { execute, killed } = executor(2_001);
    expect(execute()).toEqual({ outcome: 'late', at: 2_001 });
    expect(killed).toEqual([]);
  });

  it('kills nobody who took over the number in the last moment', () => {
    put(900, inside, 500);
    const killed: number[] = [];
    const execute = makeExecutor(environment, {
      now: () => 1_000,
      kill: (pid) => killed.push(pid),
      note: ({ outcome }) => outcome === 'killing' && put(900, inside, 999),
      proc,
    });
    expect(execute()).toMatchObject({ outcome: 'gone' });
    expect(killed).toEqual([]);
  });

  it('kills once, however often it is asked, and writes down what it does before and after', () => {
    put(900, inside, 500);
    const { execute, killed, notes } = executor();
    expect(execute()).toEqual(execute());
    expect(killed).toEqual([900]);
    expect(notes.map(({ outcome }) => outcome)).toEqual(['killing', 'killed']);
  });

  it('ends a real process, asked by HTTP by somebody who can name the container, and by nobody else', async () => {
    const child: ChildProcess = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    put(child.pid ?? 0, inside, 1);
    const ended = Promise.withResolvers<void>();
    const surroundings = { now: () => 1_000, note: () => {}, proc };
    const execute = makeExecutor(environment, {
      ...surroundings,
      kill: (pid) => process.kill(pid, 'SIGKILL'),
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
