import { startEngine } from './starts-engine.mjs';
export default () => startEngine();
