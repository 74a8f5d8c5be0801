export async function startEngine() {
  const { Engine } = await import('#src/control/engine.js');
  return Engine.create();
}
