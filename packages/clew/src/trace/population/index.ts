export { SKETCH_ERROR, Sketch, type SketchJson } from './sketch.ts'
