/**
 * Preloaded (`--import`) into a process whose clock is to be wrong: Date tells the machine's time and CLOCK_AHEAD_MS more, less where
 * that is negative. Timers and clocks that only count go on as they do.
 */
const MachineDate = Date;
const aheadMs = Number.parseInt(process.env.CLOCK_AHEAD_MS ?? '', 10);
if (Number.isNaN(aheadMs)) throw new Error('CLOCK_AHEAD_MS is no number');

const now = () => MachineDate.now() + aheadMs;

globalThis.Date = new Proxy(MachineDate, {
  construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [now()] : args, made),
  apply: () => new MachineDate(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
});
