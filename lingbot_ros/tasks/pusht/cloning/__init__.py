"""A small policy that learned Push-T by imitation: images in, actions out. It plans nothing and knows no physics."""
