/** Every workflow type that a worker serves; the bundler's entry point. */

export { janitor } from './janitor.ts';
export { kafkaBrokerFailure } from './kafka-broker-failure.ts';
export { killBudget } from './kill-budget.ts';
export { promotion } from './promotion/promotion.ts';
