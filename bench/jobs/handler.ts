// What the jobs of the bench do: almost nothing, so that the way there and back is what is measured.
export const length = (values: Float32Array): number => values.length;
