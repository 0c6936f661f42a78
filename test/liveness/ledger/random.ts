/** Numbers that a seed decides, so that a history that failed can be had again. */
export interface Random {
  /** A whole number, both ends included. */
  from(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
}

/** A linear congruential generator (Numerical Recipes' constants), whose high bits are good enough for histories. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  next();
  const from = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    from,
    chance: (probability) => next() < probability,
    pick: (choices) => {
      const choice = choices[from(0, choices.length - 1)];
      if (choice === undefined) throw new Error('nothing to pick from');
      return choice;
    },
  };
}
